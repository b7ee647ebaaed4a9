-- One row per image that makes no sample, and why.
-- of: out.samples
-- depends: core.images, core.figures
-- listed: core.images
-- key: pmcid, version, name
-- column: stage | Stage that left the record out
-- column: pmcid | PMC's id with its prefix
-- column: version | Deposit of the article
-- column: name | File of the image, its figure's index and the graphic's
-- column: reason | Reason, from the closed list
-- column: detail | What was seen
select
    'samples' as stage,
    i.pmcid,
    i.version,
    format('{} f{:04d} g{:02d}', i.image_name, i.figure_index, i.graphic_index) as name,
    'caption_empty' as reason,
    concat_ws(' ', f.kind, f.figure_label) as detail
from core.images as i
join core.figures as f using (pmcid, version, figure_index)
where length(trim(f.caption)) = 0
order by i.pmcid[4:]::bigint, i.version, i.figure_index, i.graphic_index
