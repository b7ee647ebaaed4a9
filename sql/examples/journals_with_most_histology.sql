-- Which journals have the most histology?
-- depends: out.samples
-- column: journal_title | Journal title as printed
-- column: histology_samples | Samples labelled histology
-- column: share | Their share of the journal's samples [%]
with journals as (
    select
        journal_title,
        count(*) filter (where list_contains(secondary_label, 'histology')) as histology_samples,
        count(*) as all_samples
    from out.samples
    group by journal_title
)
select journal_title, histology_samples, round(100 * histology_samples / all_samples, 1) as share
from journals
where histology_samples > 0
order by histology_samples desc, journal_title
limit 10
