-- Which samples of commercial use speak of microscopy of cells, best first?
-- depends: out.samples
-- column: sample_key | Key of the sample
-- column: score | BM25; captions weigh twice as much as mentions
-- column: caption | Caption, first 80 characters
select s.sample_key, round(h.score, 2) as score, left(s.caption, 80) as caption
from search('cells AND (stained OR fluorescence)', most := 1000) as h
join out.samples as s using (sample_key)
where s.license_group = 'commercial'
order by h.score desc, s.sample_key
limit 10
