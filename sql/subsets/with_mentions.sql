-- Samples that the article's text points at, with what it says of them; default filter applied
-- license_groups: commercial, noncommercial
-- formats: wds, parquet
select sample_key
from out.samples
where is_default and len(mentions) > 0
