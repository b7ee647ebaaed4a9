-- Which retracted articles still have images here, and does PubMed agree?
-- depends: out.samples, core.articles, core.pubmed_records
-- column: pmcid | PMC's id
-- column: title | Article title
-- column: is_retracted_by_nlm | Retracted according to NLM's metadata
-- column: is_retracted_by_pubmed | Retracted according to PubMed; null without a record
-- column: samples | Samples of the article
select
    a.pmcid,
    left(a.title, 60) as title,
    a.is_retracted as is_retracted_by_nlm,
    any_value(p.is_retracted) as is_retracted_by_pubmed,
    count(*) as samples
from out.samples as s
join core.articles as a using (pmcid, version)
left join core.pubmed_records as p on p.pmid = a.pmid
where s.is_retracted
group by a.pmcid, a.title, a.is_retracted
order by samples desc, a.pmcid
limit 10
