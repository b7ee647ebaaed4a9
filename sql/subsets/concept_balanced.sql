-- Every global concept, none with more than 5,000 samples; default filter applied,
-- samples without a label of confidence 0.6 or more left out
-- license_groups: commercial, noncommercial
-- balance: primary_label:5000
-- seed: 0
-- formats: wds, parquet
select sample_key
from out.samples
where is_default and label_confidence >= 0.6 and len(primary_label) > 0
