"""Parse one partition into the core tables, over all cores, in an order that does not depend on them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial

import pyarrow as pa

from pmc_assets import schema
from pmc_assets.figures.chunk import CHUNK_TABLES, PackagedArticle, ParsedChunk, parse_chunk
from pmc_assets.lake import Lake, Partition, Writer
from pmc_assets.packages.files import StoredFile
from pmc_assets.processes import ordered, process_pool
from pmc_assets.rejects import Reject, rejects_table
from pmc_assets.results import PREVIEW_ROWS, StageResult

ARTICLES_PER_CHUNK = 16
POOL_FROM_ARTICLES = 64
"""Below this many articles, starting worker processes costs more than it gains."""


class StalePackages(ValueError):
    """Stored files are of an article version that the file list no longer has."""


def parse_partition(lake: Lake, partition: Partition, *, workers: int = 1) -> dict[str, StageResult]:
    """Parse every stored article of a partition; publish articles, figures, images, mentions and subcaptions.

    Shape: one result per table name. Listed are articles for `core.articles` and graphics for `core.images`.
    Empty: no files (an absent partition reads as empty) and counts of 0.
    Raises: StalePackages.
    """
    articles = packaged_articles(lake, partition)
    chunks = [articles[start : start + ARTICLES_PER_CHUNK] for start in range(0, len(articles), ARTICLES_PER_CHUNK)]
    workers = workers if len(articles) >= POOL_FROM_ARTICLES else 1
    previews = {table.name: table.empty() for table in CHUNK_TABLES}
    rejects: list[Reject] = []
    seen: dict[str, str] = {}
    with lake.writers(CHUNK_TABLES, partition) as writers:
        for parsed in parse_chunks(lake.url, chunks, workers):
            parsed.tables["core.images"] = mark_duplicates(parsed.tables["core.images"], seen)
            for name, rows in parsed.tables.items():
                writers[name].append(rows)
                previews[name] = previews[name] if previews[name].num_rows else rows.slice(0, PREVIEW_ROWS)
            rejects += parsed.rejects
    for stage in ("articles", "images"):
        left_out = [reject for reject in rejects if reject.stage == stage]
        lake.write_rejects(stage, rejects_table(left_out), partition)
    return {name: _result(writer, rejects, previews[name]) for name, writer in writers.items()}


def _result(writer: Writer, rejects: list[Reject], preview: pa.Table) -> StageResult:
    """Count what one table was given: its rows, and the rejects of the stage that has its name."""
    rejected = Counter(reject.reason for reject in rejects if reject.stage == writer.table.short_name)
    rows = writer.written.rows
    result = StageResult(listed=rows + rejected.total(), stored=rows, rejected=rejected, preview=preview)
    return result.add_written(writer.written)


def packaged_articles(lake: Lake, partition: Partition) -> list[PackagedArticle]:
    """Join the partition's file list with its stored files, in key order; articles without stored XML are left out.

    Those have their reject in the packages stage.
    Raises: StalePackages.
    """
    offers = {(o["pmcid"], o["version"]): o for o in lake.read_table(schema.RAW_FILELISTS, partition).to_pylist()}
    articles: dict[tuple[str, int], PackagedArticle] = {}
    for row in lake.read_table(schema.RAW_PACKAGES, partition).to_pylist():
        key = row["pmcid"], row["version"]
        if key not in offers:
            raise StalePackages(
                f"raw/packages has {key[0]}.{key[1]}, its file list has not: rerun raw/packages of {partition.path}"
            )
        article = articles.setdefault(key, PackagedArticle(offers[key], {}))
        article.files[row["name"]] = StoredFile(**{name: row[name] for name in StoredFile.__slots__})
    return [article for article in articles.values() if article.has_xml]


def parse_chunks(lake_url: str, chunks: Iterable[list[PackagedArticle]], workers: int) -> Iterator[ParsedChunk]:
    """Parse chunks in their order, in this process or in `workers` others, with a bounded number under way."""
    if workers <= 1:
        yield from (parse_chunk(lake_url, chunk) for chunk in chunks)
        return
    with process_pool(workers) as pool:
        yield from ordered(pool, partial(parse_chunk, lake_url), chunks, 2 * workers + 1)


def image_key(row: dict) -> str:
    """Name an image as its article's `pmcid.version`, figure and graphic."""
    return f"{row['pmcid']}.{row['version']}/{row['figure_index']}/{row['graphic_index']}"


def mark_duplicates(images: pa.Table, seen: dict[str, str]) -> pa.Table:
    """Fill `is_duplicate_of` with the key of the first image that has the same bytes; `seen` grows by sha256."""
    duplicates = []
    for row in images.select(["pmcid", "version", "figure_index", "graphic_index", "image_sha256"]).to_pylist():
        key = image_key(row)
        first = seen.setdefault(row["image_sha256"], key)
        duplicates.append(None if first == key else first)
    place = images.schema.get_field_index("is_duplicate_of")
    return images.set_column(place, images.schema.field(place), pa.array(duplicates, pa.string()))
