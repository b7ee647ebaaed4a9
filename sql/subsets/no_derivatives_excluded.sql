-- Samples whose licence allows adaptations: no ND licence, none unknown; default filter applied
-- license_groups: commercial, noncommercial
-- formats: wds
select sample_key
from out.samples
where is_default and license_code is not null and not contains(license_code, '-ND')
