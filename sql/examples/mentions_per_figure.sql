-- How often does the text point at a figure?
-- depends: core.figures, core.mentions
-- column: mentions | Paragraphs that point at the figure
-- column: figures | Figures with that many
-- column: share | Their share [%]
with counted as (
    select count(m.mention_index) as mentions
    from core.figures as f
    left join core.mentions as m using (pmcid, version, figure_index)
    where f.kind = 'figure'
    group by f.pmcid, f.version, f.figure_index
)
select mentions, count(*) as figures, round(100 * figures / sum(figures) over (), 1) as share
from counted
group by mentions
order by mentions
