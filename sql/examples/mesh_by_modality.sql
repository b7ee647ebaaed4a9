-- Which MeSH terms go with which kind of image?
-- depends: out.samples
-- column: mesh_term | MeSH descriptor from PubMed
-- column: label | Global concept of the image
-- column: samples | Samples with both
select mesh_term, label, count(*) as samples
from (select unnest(mesh_terms) as mesh_term, primary_label from out.samples) as terms, unnest(primary_label) as labels(label)
group by all
order by samples desc, mesh_term, label
limit 10
