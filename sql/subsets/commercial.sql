-- Every sample whose licence allows commercial use, default filter applied
-- license_groups: commercial
-- formats: wds, parquet
select sample_key
from out.samples
where is_default
