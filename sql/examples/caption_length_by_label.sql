-- How long are captions, by what the image shows?
-- depends: out.samples
-- column: label | Global concept
-- column: samples | Samples
-- column: median_words | Median number of words in the caption
-- column: share_with_mentions | Share of samples that the text points at [%]
select
    label,
    count(*) as samples,
    median(len(string_split_regex(trim(caption), '\s+')))::int as median_words,
    round(100 * count(*) filter (where len(mentions) > 0) / count(*), 1) as share_with_mentions
from (select unnest(if(len(primary_label) = 0, ['none'], primary_label)) as label, caption, mentions from out.samples)
group by label
order by samples desc, label
