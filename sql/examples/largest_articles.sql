-- Which articles give the most samples?
-- depends: out.attributions, out.samples
-- column: pmcid | PMC's id
-- column: authors | Authors, first 40 characters
-- column: license_code | Licence as NLM states it
-- column: samples | Samples of the article
select a.pmcid, left(a.authors, 40) as authors, coalesce(a.license_code, 'none') as license_code, count(*) as samples
from out.attributions as a
join out.samples as s using (pmcid, version)
group by all
order by samples desc, a.pmcid
limit 10
