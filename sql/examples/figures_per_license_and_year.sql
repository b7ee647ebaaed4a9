-- How many samples are there per licence group and year?
-- depends: out.samples
-- column: year | Earliest year of publication
-- column: commercial | Samples whose licence allows commercial use
-- column: noncommercial | Samples for non-commercial use
-- column: other | Samples with another licence or none
select
    year,
    count(*) filter (where license_group = 'commercial') as commercial,
    count(*) filter (where license_group = 'noncommercial') as noncommercial,
    count(*) filter (where license_group = 'other') as other
from out.samples
group by year
order by year desc
limit 10
