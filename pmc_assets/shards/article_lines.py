"""Articles with their figures as JSON lines, the form of PMC-15M. Which samples, and where lines go, stays out."""

from collections.abc import Iterator

import duckdb

from pmc_assets.shards.render import IMAGE_EXTENSION

ROWS_AT_ONCE = 1_024

_LINES = """
with located as (
    select pmcid, version, sample_key, pmid, figure_index, graphic_index, figure_id, figure_label, caption, shard,
        pmid || '_' || figure_id as by_pmid,
        pmcid || if(min(version) over article = max(version) over article, '', '.' || version)
            || '_' || figure_index as by_figure
    from {samples}
    window article as (partition by pmcid)
),
paired as (
    select *,
        case
            when by_pmid is not null and count(*) over (partition by by_pmid) = 1 then by_pmid
            when count(*) over (partition by by_figure) = 1 then by_figure
            else by_figure || '_' || graphic_index
        end as pair_id
    from located
),
articles as (
    select pmcid, version, any_value(pmid) as pmid,
        list({{
            'fig_caption': caption,
            'fig_id': coalesce(figure_id, ''),
            'fig_label': coalesce(figure_label, ''),
            'graphic_ref': 'tar://' || sample_key || '.{extension}::' || shard,
            'pair_id': pair_id
        }} order by figure_index, graphic_index) as figures
    from paired
    group by pmcid, version
),
locations as (
    select pmcid, version, any_value(coalesce(xml_url, package_url)) as location from {filelists} group by all
)
select to_json({{
    'pmid': coalesce(a.pmid::varchar, ''),
    'pmc': a.pmcid,
    'location': coalesce(l.location, ''),
    'figures': a.figures
}})::varchar as line, len(a.figures) as figure_count
from articles as a
left join locations as l using (pmcid, version)
order by a.pmcid[4:]::bigint, a.version
"""


def article_lines(
    connection: duckdb.DuckDBPyConnection, samples: str, filelists: str = "raw.filelists"
) -> Iterator[tuple[bytes, int]]:
    """Give one JSON line per article and the number of its figures, by number of PMCID and version.

    `samples` and `filelists` are SQL: samples as in out.samples with the column `shard`, their tar, and rows of
    raw.filelists.
    Shape: pmid, pmc, location, figures. `graphic_ref` is an fsspec URL of the image, `tar://<key>.jpg::<shard>`.
    `pair_id` is `<pmid>_<fig_id>` where no other image of the samples has that, else `<pmcid>_<figure_index>` (of an
    article with several versions `<pmcid>.<version>_<figure_index>`), followed by `_<graphic_index>` where a figure
    has several images.
    """
    query = _LINES.format(samples=samples, filelists=filelists, extension=IMAGE_EXTENSION)
    for batch in connection.sql(query).to_arrow_reader(ROWS_AT_ONCE):
        for line, figure_count in zip(batch["line"].to_pylist(), batch["figure_count"].to_pylist(), strict=True):
            yield line.encode() + b"\n", figure_count
