-- Which images of different articles look almost the same, but are not the same file?
-- depends: core.near_duplicates
-- column: pmcid | First article
-- column: figure_index | Its figure
-- column: other_pmcid | Second article
-- column: other_figure_index | Its figure
-- column: different_bits | Bits in which the perceptual hashes differ, of 64
select pmcid, figure_index, other_pmcid, other_figure_index, different_bits
from core.near_duplicates
where not is_same_file and pmcid <> other_pmcid
order by different_bits, pmcid, figure_index, other_pmcid, other_figure_index
limit 10
