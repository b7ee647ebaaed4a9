-- One row per article version that has images: what its licence asks to be named with them.
-- depends: core.articles, core.images
-- key: pmcid, version
-- column: pmcid | PMC's id with its prefix
-- column: version | Deposit of the article; licence and retraction hang on it
-- column: title | Article title
-- column: authors | Authors as printed, given names first, separated by semicolons; empty where none are stated
-- column: journal_title | Journal title as printed
-- column: year | Earliest year of publication
-- column: license_code | Licence as NLM states it; null where none
-- column: license_url | Licence URL that the article states
-- column: copyright_statement | Copyright statement of the article; null where none
-- column: doi | DOI; null where there is none
-- column: article_url | The article at PMC
-- column: image_count | Images of the article that are stored and readable
-- check: image_count > 0
-- check: starts_with(article_url, 'https://')
with article_images as (
    select pmcid, version, count(*)::int as image_count
    from core.images
    group by all
)
select
    a.pmcid,
    a.version,
    a.title,
    array_to_string(
        list_transform(coalesce(a.authors, []), lambda author: concat_ws(' ', author.given_names, author.surname)), '; '
    ) as authors,
    a.journal_title,
    a.year,
    a.license_code,
    a.license_url,
    a.copyright_statement,
    a.doi,
    'https://pmc.ncbi.nlm.nih.gov/articles/' || a.pmcid || '/' as article_url,
    i.image_count
from core.articles as a
join article_images as i using (pmcid, version)
order by a.pmcid[4:]::bigint, a.version
