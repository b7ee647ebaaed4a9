"""Render every sample of a partition to scratch files: text and JSON members, JPEGs of other formats."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import fs

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.processes import ordered
from pmc_assets.rejects import Reject
from pmc_assets.shards.images import CannotTranscode, ImageReader, to_jpeg
from pmc_assets.shards.member import FIGURE_IMAGES_SQL, articles_sql, columns_of, samples_sql
from pmc_assets.shards.plan import Rendered
from pmc_assets.shards.samples import samples_table
from pmc_assets.shards.tails import Article, Tails, utf8
from pmc_assets.warehouse.derive import partition_files
from pmc_assets.warehouse.engine import open_duckdb
from pmc_assets.warehouse.views import parquet_view, texts

ROWS_AT_ONCE = (128, 16, 1)
"""Of samples with texts that are too long for DuckDB's memory, fewer."""
PIECES_AHEAD = 4
STREAMED_BYTES = "1MiB"
BYTES_AT_ONCE = 8 * 2**20
MEMORY_LIMIT = "192MB"
AS_WRITTEN = "set disabled_optimizers = 'join_order, build_side_probe_side'"
"""Joins as they are written: samples, of unknown number, stream past the small tables and are nowhere collected."""
IMAGE_EXTENSION = "jpg"
COLUMNS = ("sample_key", "part_path", "offset_bytes", "size_bytes", "says_types", "image_format")


@dataclass(slots=True)
class Rendering:
    """What rendering a partition gave; `tails` and `jpegs` hold what the samples point into.

    `digest` is of all text and JSON members, in the order of out.samples. `others` are samples that are no JPEGs, with
    their facts.
    """

    tails: Tails
    jpegs: Path
    digest: str = hashlib.sha256().hexdigest()
    samples: list[Rendered] = field(default_factory=list)
    others: list[tuple[Rendered, dict]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def add(self, rows: pa.RecordBatch, articles: list[Article]) -> memoryview:
        """Add samples as `samples_sql` gives them, with the article of each; give their text and JSON members."""
        keys, *columns = (rows[name].to_pylist() for name in COLUMNS)
        content, tails = self.tails.add(keys, rows, articles)
        samples = zip(keys, tails, articles, *columns, strict=True)
        for number, (key, tail, article, path, offset, size, says_types, image_format) in enumerate(samples):
            sample = Rendered(key, (path, offset, size), says_types | article.says_types, tail, size)
            if image_format == "jpeg":
                self.samples.append(sample)
            else:
                [facts] = rows.slice(number, 1).select(["pmcid", "version", "image_name"]).to_pylist()
                self.others.append((sample, facts))
        return content


def render(
    lake: Lake, partition: Partition, scratch: Path, tails: Tails, include_article_text: bool, threads: int
) -> Rendering:
    """Render all samples of a partition. What cannot become a JPEG is a reject.

    Another thread renders articles and puts the tails together while this one renders samples.
    """
    tables = {"articles": schema.CORE_ARTICLES} if include_article_text else {}
    for rows_at_once in ROWS_AT_ONCE:
        rendering = Rendering(tails, scratch / "jpegs")
        try:
            with open_tables(lake, partition, scratch, tables) as connection:
                if lake.exists(lake.table_path(samples_table().name, partition)):
                    _render_tails(lake, partition, rendering, connection, include_article_text, rows_at_once)
            break
        except duckdb.OutOfMemoryException:
            if rows_at_once == ROWS_AT_ONCE[-1]:
                raise
            tails.clear()
    _transcode(lake, rendering, threads)  # pyrefly: ignore[unbound-name]
    return rendering


def _render_tails(
    lake: Lake,
    partition: Partition,
    rendering: Rendering,
    connection: duckdb.DuckDBPyConnection,
    include_article_text: bool,
    rows_at_once: int,
) -> None:
    digest = hashlib.sha256()
    connection.execute(AS_WRITTEN)
    with (
        _streaming(connection) as of_samples,
        _streaming(connection) as of_articles,
        ThreadPoolExecutor(1) as other,
    ):
        articles = _Articles(_articles(lake, partition, of_articles, include_article_text, rows_at_once))
        begun = other.submit(articles.begin)

        def add(rows: pa.RecordBatch) -> memoryview:
            begun.result()
            return rendering.add(rows, articles.of(rows))

        for content in ordered(other, add, _samples(lake, partition, of_samples, rows_at_once), PIECES_AHEAD):
            digest.update(content)
    rendering.digest = digest.hexdigest()


class _Articles:
    """Finds the articles of samples, which come in the same order."""

    def __init__(self, articles: Iterator[Article]) -> None:
        self.articles = articles
        self.article = Article("", 0, 0, b"")

    def begin(self) -> None:
        self.article = next(self.articles, self.article)

    def of(self, rows: pa.RecordBatch) -> list[Article]:
        return [self._find(*key) for key in zip(rows["pmcid"].to_pylist(), rows["version"].to_pylist(), strict=True)]

    def _find(self, pmcid: str, version: int) -> Article:
        while (self.article.pmcid, self.article.version) != (pmcid, version):
            self.article = next(self.articles)
        return self.article


def open_tables(
    lake: Lake, partition: Partition, scratch: Path, tables: dict[str, schema.Table]
) -> duckdb.DuckDBPyConnection:
    """Open DuckDB with views, by their names, over one partition of tables, and with little memory."""
    config = {"threads": 1, "memory_limit": MEMORY_LIMIT, "temp_directory": str(scratch / "duckdb")}
    connection = open_duckdb(lake, config=config)
    for view, table in tables.items():
        files = partition_files(lake, table.name, partition)
        connection.execute(parquet_view(view, table.arrow, (), texts(files)))
    return connection


def _streaming(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    cursor = connection.cursor()
    cursor.execute(f"set streaming_buffer_size = '{STREAMED_BYTES}'")
    return cursor


def _samples(
    lake: Lake, partition: Partition, cursor: duckdb.DuckDBPyConnection, rows_at_once: int
) -> Iterator[pa.RecordBatch]:
    """Render the samples but for what their articles share, in the order of out.samples, a few at a time."""
    cursor.register("samples", _read_samples(lake, partition, FIGURE_IMAGES_SQL, rows_at_once))
    cursor.execute(f"create temp table figure_images as {FIGURE_IMAGES_SQL}")
    query, group = samples_sql(), {"license_group": partition["license_group"]}
    cursor.register("samples", _read_samples(lake, partition, query, rows_at_once))
    yield from cursor.sql(query, params=group).to_arrow_reader(rows_at_once)


def _articles(
    lake: Lake,
    partition: Partition,
    cursor: duckdb.DuckDBPyConnection,
    include_article_text: bool,
    rows_at_once: int,
) -> Iterator[Article]:
    """Render what the samples of an article share, in the order of out.samples; some articles come twice."""
    query = articles_sql(include_article_text)
    reader = _read_samples(lake, partition, query, rows_at_once)
    tables = (pa.Table.from_batches([part]) for batch in reader for part in slices(batch))
    for samples in tables if include_article_text else [reader]:  # each table asks for the texts of its articles
        cursor.register("samples", samples)
        for rows in cursor.sql(query).to_arrow_reader(rows_at_once):
            columns = (rows[name].to_pylist() for name in ("pmcid", "version", "says_types"))
            yield from map(Article, *columns, (b",%b," % bytes(json) for json in utf8(rows["article"], 1, -1)))


def _read_samples(lake: Lake, partition: Partition, query: str, rows_at_once: int) -> pa.RecordBatchReader:
    """Read the columns of out.samples that a query asks for, fewer rows at a time where they are long.

    A local file is read without Python, whose lock the other thread needs.
    """
    import pyarrow.dataset as ds  # brings pandas, a quarter of a second

    files = fs.LocalFileSystem() if lake.is_local else fs.PyFileSystem(fs.FSSpecHandler(lake.fs))
    path = lake.full_path(lake.table_path(samples_table().name, partition))
    parquet = ds.ParquetFileFormat().make_fragment(path, files)
    row_bytes = max((group.total_byte_size // max(1, group.num_rows) + 1 for group in parquet.row_groups), default=1)
    scanner = parquet.scanner(
        columns=columns_of(query, parquet.physical_schema.names),
        batch_size=max(1, min(rows_at_once, BYTES_AT_ONCE // row_bytes)),
        batch_readahead=1,
        use_threads=False,
    )
    return scanner.to_reader()


def slices(samples: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut samples with long texts into fewer at a time: DuckDB holds several copies of each."""
    rows = max(1, samples.num_rows // max(1, -(-samples.nbytes // BYTES_AT_ONCE)))
    return (samples.slice(start, rows) for start in range(0, samples.num_rows, rows))


def _transcode(lake: Lake, rendering: Rendering, threads: int) -> None:
    others = sorted(rendering.others, key=lambda other: other[0].place)
    with (
        rendering.jpegs.open("wb") as jpegs,
        ImageReader(lake) as reader,
        ThreadPoolExecutor(threads) as pool,
    ):
        contents = reader.read_all(sample.place for sample, _ in others)
        for (sample, facts), jpeg in zip(others, ordered(pool, _jpeg_or_error, contents, threads + 1), strict=True):
            if isinstance(jpeg, CannotTranscode):
                rendering.rejects.append(
                    Reject(
                        "shards", "image_unreadable", facts["pmcid"], facts["version"], facts["image_name"], str(jpeg)
                    )
                )
                continue
            sample.jpeg_offset, sample.image_size = jpegs.tell(), len(jpeg)
            jpegs.write(jpeg)
            rendering.samples.append(sample)


def _jpeg_or_error(content: bytes) -> bytes | CannotTranscode:
    try:
        return to_jpeg(content)
    except CannotTranscode as error:
        return error
