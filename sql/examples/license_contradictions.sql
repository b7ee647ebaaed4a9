-- Where does the article itself state another licence than NLM?
-- depends: core.articles
-- column: license_code | Licence as NLM states it
-- column: xml_license_code | Licence that the article's own text means
-- column: articles | Articles with this pair
select coalesce(license_code, 'none') as license_code, xml_license_code, count(*) as articles
from core.articles
where xml_license_code is not null and xml_license_code is distinct from core.articles.license_code
group by all
order by articles desc, license_code, xml_license_code
