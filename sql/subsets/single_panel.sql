-- Images of one panel, so that the caption speaks of the whole image; default filter applied
-- license_groups: commercial, noncommercial
-- formats: wds
select sample_key
from out.samples
where is_default and panel_type = 'single'
