-- One row per pair of images, of any partitions, that look almost the same: their perceptual hashes differ in at most 4 of 64 bits.
-- depends: core.images
-- key: pmcid, version, figure_index, graphic_index, other_pmcid, other_version, other_figure_index, other_graphic_index
-- column: pmcid | First image's article
-- column: version | Its deposit
-- column: figure_index | Its figure
-- column: graphic_index | Its graphic
-- column: other_pmcid | Second image's article
-- column: other_version | Its deposit
-- column: other_figure_index | Its figure
-- column: other_graphic_index | Its graphic
-- column: different_bits | Bits in which the hashes differ, 0 to 4
-- column: is_same_file | Both have the same bytes
with pictures as (
    select pmcid, version, figure_index, graphic_index, image_sha256, image_phash
    from core.images
    where grey_std > 5
),
bands as (
    select
        *,
        [
            image_phash & 2047, (image_phash >> 11) & 2047, (image_phash >> 22) & 2047,
            (image_phash >> 33) & 2047, (image_phash >> 44) & 1023, image_phash >> 54
        ] as band
    from pictures
),
pairs_of_bands as (
    select i, j
    from range(1, 7) as first (i), range(1, 7) as second (j)
    where i < j
),
prefixes as (
    select bands.* exclude (band), ((i * 8 + j)::ubigint << 32) | (band[i] << 14) | band[j] as prefix
    from bands, pairs_of_bands
)
select distinct
    a.pmcid,
    a.version,
    a.figure_index,
    a.graphic_index,
    b.pmcid as other_pmcid,
    b.version as other_version,
    b.figure_index as other_figure_index,
    b.graphic_index as other_graphic_index,
    bit_count(xor(a.image_phash, b.image_phash)) as different_bits,
    a.image_sha256 = b.image_sha256 as is_same_file
from prefixes as a
join prefixes as b using (prefix)
where
    (a.pmcid, a.version, a.figure_index, a.graphic_index) < (b.pmcid, b.version, b.figure_index, b.graphic_index)
    and bit_count(xor(a.image_phash, b.image_phash)) <= 4
