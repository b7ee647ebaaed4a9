"""Counts of the published data set for its card: SQL over out.samples and core.rejects. Wording stays out."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from pmc_assets.lake import CONTENTS, NO_VALUE, SAMPLE, Lake, Partition
from pmc_assets.schema import TABLES
from pmc_assets.shards.samples import samples_table
from pmc_assets.warehouse.derive import partition_files
from pmc_assets.warehouse.engine import open_duckdb
from pmc_assets.warehouse.views import parquet_view, texts

MOST_ROWS = 25
TOKEN_BIN = 20
SIDE_BIN_PX = 100

Counts = list[tuple[str, int]]

_TOKENS = r"regexp_extract_all(caption, '[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]')"


@dataclass(frozen=True)
class CardFacts:
    """What the card says in numbers. Counts are samples unless said otherwise; histograms by the bin's lower end.

    `forms` are the pairs of form (samples, shards ...) and licence group that have files.
    """

    groups: tuple[str, ...]
    forms: tuple[tuple[str, str], ...]
    samples: int
    articles: int
    image_bytes: int
    fetched_at: str
    is_sample: bool
    by_group: list[tuple[str, int, int, int]]
    by_license: Counts
    by_label: Counts
    by_year: Counts
    by_journal: Counts
    by_split: Counts
    by_format: Counts
    rejects: list[tuple[str, str, int]]
    caption_tokens: list[tuple[int, int]]
    widths_px: list[tuple[int, int]]
    heights_px: list[tuple[int, int]]


def card_facts(lake: Lake, groups: Sequence[str], forms: Sequence[str]) -> CardFacts:
    """Count the samples and rejects of the named licence groups over all batches. Empty: zeros and empty lists.

    Rejects of stages before the licence groups count for every group, and the last fetch is that of any article.
    """
    with open_duckdb(lake) as connection:
        _open_views(connection, lake, groups)
        samples, articles, image_bytes = connection.execute(
            "select count(*), count(distinct (pmcid, version)), coalesce(sum(size_bytes), 0)::bigint from samples"
        ).fetchall()[0]
        fetched = connection.execute("select max(fetched_at)::date::varchar from article_versions").fetchall()[0][0]
        return CardFacts(
            groups=tuple(groups),
            forms=tuple(
                (form, group) for form in forms for group in groups if lake.find(f"out/{form}/license_group={group}")
            ),
            samples=samples,
            articles=articles,
            image_bytes=image_bytes,
            fetched_at=fetched or "unknown",
            is_sample=lake.settings().get(CONTENTS) == SAMPLE,
            by_group=connection.execute(
                "select license_group, count(*), count(distinct (pmcid, version)), sum(size_bytes)::bigint"
                " from samples group by 1 order by 1"
            ).fetchall(),
            by_license=_count(connection, "coalesce(license_code, 'none stated')"),
            by_label=_count(connection, "unnest(primary_label)"),
            by_year=sorted(_count(connection, "coalesce(year::varchar, 'unknown')", most=1_000)),
            by_journal=_count(connection, "coalesce(journal_title, 'unknown')"),
            by_split=_count(connection, "split"),
            by_format=_count(connection, "image_format"),
            rejects=connection.execute(
                "select stage, reason, count(*) from rejects group by 1, 2 order by 1, 2"
            ).fetchall(),
            caption_tokens=_histogram(connection, f"len({_TOKENS})", TOKEN_BIN),
            widths_px=_histogram(connection, "width_px", SIDE_BIN_PX),
            heights_px=_histogram(connection, "height_px", SIDE_BIN_PX),
        )


def _open_views(connection: duckdb.DuckDBPyConnection, lake: Lake, groups: Sequence[str]) -> None:
    views = {
        "samples": samples_table(),
        "rejects": TABLES["core.rejects"],
        "article_versions": TABLES["raw.article_versions"],
    }
    folders = [f"/license_group={group}/" for group in (*groups, NO_VALUE)]
    for view, table in views.items():
        files = partition_files(lake, table.name, Partition())
        if "license_group" in table.partitioned_by:
            files = [f for f in files if any(folder in f for folder in folders)]
        connection.execute(parquet_view(view, table.arrow, table.partitioned_by, texts(files)))


def _count(connection: duckdb.DuckDBPyConnection, value: str, most: int = MOST_ROWS) -> Counts:
    query = f"select value, count(*) from (select {value} as value from samples) group by 1 order by 2 desc, 1 limit ?"
    return connection.execute(query, [most]).fetchall()


def _histogram(connection: duckdb.DuckDBPyConnection, value: str, width: int) -> list[tuple[int, int]]:
    query = f"select ({value}) // {width} * {width} as low, count(*) from samples group by 1 order by 1"
    return connection.execute(query).fetchall()
