"""Articles with their figures as JSON lines, the form of PMC-15M. Which samples, and where lines go, stays out."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import duckdb

from pmc_assets.shards.render import IMAGE_EXTENSION

ROWS_AT_ONCE = 1_024

_LINES = """
with located as (
    select sample_key, graphic_index,
        pmid || '_' || figure_id as by_pmid,
        pmcid || if(min(version) over article = max(version) over article, '', '.' || version)
            || '_' || figure_index as by_figure
    from {samples}
    window article as (partition by pmcid)
),
paired as (
    select sample_key,
        case
            when by_pmid is not null and count(*) over (partition by by_pmid) = 1 then by_pmid
            when count(*) over (partition by by_figure) = 1 then by_figure
            else by_figure || '_' || graphic_index
        end as pair_id
    from located
),
locations as (
    select pmcid, version, any_value(coalesce(xml_url, package_url)) as location from {filelists} group by all
)
select
    version,
    to_json({{
        'pmid': coalesce(pmid::varchar, ''),
        'pmc': pmcid,
        'location': coalesce(location, '')
    }})::varchar as article,
    to_json({{
        'fig_caption': caption,
        'fig_id': coalesce(figure_id, ''),
        'fig_label': coalesce(figure_label, ''),
        'graphic_ref': 'tar://' || sample_key || '.{extension}::' || shard,
        'pair_id': pair_id
    }})::varchar as figure
from {samples}
join paired using (sample_key)
left join locations using (pmcid, version)
order by pmcid[4:]::bigint, version, figure_index, graphic_index
"""
"""Figures are put together here, since DuckDB keeps the lists that it collects in memory."""


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
    columns = ("article", "version", "figure")
    batches = connection.sql(query).to_arrow_reader(ROWS_AT_ONCE)
    rows = (row for batch in batches for row in zip(*(batch[name].to_pylist() for name in columns), strict=True))
    for (article, _), of_article in groupby(rows, key=itemgetter(0, 1)):
        figures = [figure for _, _, figure in of_article]
        yield f'{article[:-1]},"figures":[{",".join(figures)}]}}\n'.encode(), len(figures)
