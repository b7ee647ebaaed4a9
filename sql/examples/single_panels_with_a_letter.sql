-- Where do the caption's letters contradict the image: several panels named, one seen?
-- depends: out.samples
-- column: panel_type | single or multiple, from the image itself and its caption
-- column: captions_with_letters | Samples whose caption names at least two panels
-- column: samples | All samples
select
    coalesce(panel_type, 'not annotated') as panel_type,
    count(*) filter (where len(subcaptions) >= 2) as captions_with_letters,
    count(*) as samples
from out.samples
group by all
order by all
