-- What was left out, at which stage, and why?
-- depends: core.rejects
-- column: stage | Stage that left the records out
-- column: reason | Reason, from the closed list
-- column: records | How many
-- column: example | One of them
select
    stage,
    reason,
    count(*) as records,
    min(concat_ws(' ', pmcid, name)) as example
from core.rejects
group by stage, reason
order by records desc, stage, reason
