"""A selection's articles as JSON lines in the form of PMC-15M: one line per article with its figures."""

from collections.abc import Iterator

import duckdb

from pmc_assets.shards.render import IMAGE_EXTENSION
from pmc_assets.subsets.select import SELECTED, UNIT_OF

ROWS_AT_ONCE = 1_024

_LINES = f"""
with places as (
    select k.sample_key, k.license_group, k.batch, u.stem || '.tar' as shard
    from {SELECTED} as k
    join {UNIT_OF} as u using (sample_key)
),
samples as (
    select s.sample_key, s.pmcid, s.version, s.pmid, s.figure_index, s.graphic_index, s.figure_id, s.figure_label,
        s.caption, p.shard, s.pmid || '_' || s.figure_id as by_pmid, s.pmcid || '_' || s.figure_index as by_figure
    from out.samples as s
    join places as p using (sample_key, license_group, batch)
),
paired as (
    select *,
        case
            when by_pmid is not null and count(*) over (partition by by_pmid) = 1 then by_pmid
            when count(*) over (partition by by_figure) = 1 then by_figure
            else by_figure || '_' || graphic_index
        end as pair_id
    from samples
),
articles as (
    select pmcid, version, any_value(pmid) as pmid,
        list({{
            'fig_caption': caption,
            'fig_id': coalesce(figure_id, ''),
            'fig_label': coalesce(figure_label, ''),
            'graphic_ref': 'tar://' || sample_key || '.{IMAGE_EXTENSION}::' || shard,
            'pair_id': pair_id
        }} order by figure_index, graphic_index) as figures
    from paired
    group by pmcid, version
),
locations as (
    select pmcid, version, any_value(coalesce(xml_url, package_url)) as location from raw.filelists group by all
)
select to_json({{
    'pmid': coalesce(a.pmid::varchar, ''),
    'pmc': a.pmcid,
    'location': coalesce(l.location, ''),
    'figures': a.figures
}})::varchar as line
from articles as a
left join locations as l using (pmcid, version)
order by a.pmcid[4:]::bigint, a.version
"""


def article_lines(connection: duckdb.DuckDBPyConnection) -> Iterator[bytes]:
    """Give one JSON line per article; `graphic_ref` is an fsspec URL of the image, `tar://<key>.jpg::<unit>.tar`.

    Shape: `pair_id` is `<pmid>_<fig_id>` where no other image of the selection has that, else
    `<pmcid>_<figure_index>`, followed by `_<graphic_index>` where a figure has several images.
    """
    for batch in connection.sql(_LINES).to_arrow_reader(ROWS_AT_ONCE):
        for line in batch["line"].to_pylist():
            yield line.encode() + b"\n"
