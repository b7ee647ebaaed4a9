-- Stained sections of tissue and immunohistochemistry, by label; default filter applied
-- license_groups: commercial, noncommercial
-- formats: wds, parquet
select sample_key
from out.samples
where is_default and list_has_any(secondary_label, ['histology', 'immunohistochemistry'])
