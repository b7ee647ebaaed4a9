-- Which images of different articles look almost the same?
-- depends: core.images
-- column: pmcid | First article
-- column: image_name | Its image
-- column: other_pmcid | Second article
-- column: other_image_name | Its image
-- column: different_bits | Bits in which the perceptual hashes differ, of 64
with pictures as (
    select pmcid, image_name, image_sha256, image_phash, image_phash >> 48 as band
    from core.images
    where grey_std > 5
)
select
    a.pmcid,
    a.image_name,
    b.pmcid as other_pmcid,
    b.image_name as other_image_name,
    bit_count(xor(a.image_phash, b.image_phash)) as different_bits
from pictures as a
join pictures as b using (band)
where a.pmcid < b.pmcid and a.image_sha256 <> b.image_sha256 and different_bits <= 6
order by different_bits, a.pmcid, a.image_name, other_pmcid, other_image_name
limit 10
