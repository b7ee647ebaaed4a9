-- Which images stand, byte for byte, in more than one article?
-- depends: core.images
-- column: image_sha256 | sha256 of the file, first 12 digits
-- column: articles | Articles that show it
-- column: pmcids | Their PMCIDs
select left(image_sha256, 12) as image_sha256, count(distinct pmcid) as articles, list_sort(list(distinct pmcid)) as pmcids
from core.images
group by core.images.image_sha256
having articles > 1
order by articles desc, image_sha256
limit 10
