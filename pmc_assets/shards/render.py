"""Render every sample of a partition to scratch files: text and JSON members, JPEGs of other formats."""

import hashlib
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.processes import ordered
from pmc_assets.rejects import Reject
from pmc_assets.shards import tar
from pmc_assets.shards.images import CannotTranscode, ImageReader, to_jpeg
from pmc_assets.shards.member import FIGURE_IMAGES_SQL, members_sql
from pmc_assets.shards.plan import Rendered
from pmc_assets.shards.samples import samples_table
from pmc_assets.warehouse.derive import partition_files
from pmc_assets.warehouse.engine import open_duckdb
from pmc_assets.warehouse.views import parquet_view, texts

ROWS_AT_ONCE = 1_024
ROWS_WITH_TEXT_AT_ONCE = 128
BYTES_AT_ONCE = 8 * 2**20
MEMORY_LIMIT = "192MB"
IMAGE_EXTENSION, TEXT_EXTENSION, JSON_EXTENSION = "jpg", "txt", "json"


@dataclass(slots=True)
class Rendering:
    """What rendering a partition gave; `tails` and `jpegs` are the scratch files that samples point into.

    `digest` is of all text and JSON members, in the order of out.samples.
    """

    tails: Path
    jpegs: Path
    digest: str = ""
    samples: list[Rendered] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


@dataclass(slots=True)
class Piece:
    """Neighbouring samples: the bytes of their tails, into which they point, and facts of those that are no JPEGs."""

    tails: bytes
    samples: list[Rendered]
    others: dict[int, dict]


def render(
    lake: Lake,
    partition: Partition,
    scratch: Path,
    connection: duckdb.DuckDBPyConnection,
    include_article_text: bool,
    threads: int,
) -> Rendering:
    """Render all samples of a partition, which `connection` has open. What cannot become a JPEG is a reject."""
    rendering = Rendering(scratch / "tails", scratch / "jpegs")
    others: list[tuple[Rendered, dict]] = []
    digest = hashlib.sha256()
    with rendering.tails.open("wb") as tails:
        for piece in _pieces(lake, partition, connection, include_article_text, threads):
            start = tails.tell()
            for number, sample in enumerate(piece.samples):
                sample.tail_offset += start
                if number in piece.others:
                    others.append((sample, piece.others[number]))
                else:
                    rendering.samples.append(sample)
            tails.write(piece.tails)
            digest.update(piece.tails)
    rendering.digest = digest.hexdigest()
    _transcode(lake, others, rendering, threads)
    return rendering


def open_samples(lake: Lake, partition: Partition, scratch: Path, articles: bool = False) -> duckdb.DuckDBPyConnection:
    """Open DuckDB with the views `all_samples` (and `articles`) over one partition, and little memory."""
    config = {"threads": 1, "memory_limit": MEMORY_LIMIT, "temp_directory": str(scratch / "duckdb")}
    connection = open_duckdb(lake, config=config)
    tables = {"all_samples": samples_table()} | ({"articles": schema.CORE_ARTICLES} if articles else {})
    for view, table in tables.items():
        files = partition_files(lake, table.name, partition)
        connection.execute(parquet_view(view, table.arrow, (), texts(files) if files else ""))
    return connection


def _pieces(
    lake: Lake, partition: Partition, connection: duckdb.DuckDBPyConnection, include_article_text: bool, threads: int
) -> Iterator[Piece]:
    """Render neighbouring samples together, several pieces at a time; they come in the order of out.samples."""
    path = lake.table_path(samples_table().name, partition)
    if not lake.exists(path):
        return
    connection.execute(f"create table figure_images as {FIGURE_IMAGES_SQL.replace('samples', 'all_samples')}")
    query, group = members_sql(include_article_text), {"license_group": partition["license_group"]}
    most_rows = ROWS_WITH_TEXT_AT_ONCE if include_article_text else ROWS_AT_ONCE

    def piece(samples: pa.RecordBatch) -> Piece:
        with connection.cursor() as cursor:
            cursor.register("samples", pa.Table.from_batches([samples]))
            return _piece(cursor.sql(query, params=group).to_arrow_table())

    with lake.open(path) as file, ThreadPoolExecutor(threads) as pool:
        batches = pq.ParquetFile(file).iter_batches(most_rows, use_threads=False)
        yield from ordered(pool, piece, itertools.chain.from_iterable(map(slices, batches)), threads + 1)


def slices(samples: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut samples with long texts into fewer at a time: DuckDB holds several copies of each."""
    rows = max(1, samples.num_rows // max(1, -(-samples.nbytes // BYTES_AT_ONCE)))
    return (samples.slice(start, rows) for start in range(0, samples.num_rows, rows))


def _piece(rows: pa.Table) -> Piece:
    tails, samples, offset = list[bytes | memoryview](), list[Rendered](), 0
    columns = (
        rows[name].to_pylist() for name in ("sample_key", "says_types", "part_path", "offset_bytes", "size_bytes")
    )
    contents = _utf8(rows["text"]), _utf8(rows["json"])
    for key, says_types, part_path, image_offset, image_size, text, member in zip(*columns, *contents, strict=True):
        text_header = tar.header(f"{key}.{TEXT_EXTENSION}", len(text))
        json_header = tar.header(f"{key}.{JSON_EXTENSION}", len(member))
        tails += (text_header, text, tar.padding(len(text)), json_header, member, tar.padding(len(member)))
        size = 2 * tar.BLOCK_BYTES + tar.padded(len(text)) + tar.padded(len(member))
        samples.append(
            Rendered(
                key=key,
                place=(part_path, image_offset, image_size),
                says_types=says_types,
                text_size=len(text),
                json_size=len(member),
                tail_offset=offset,
                tail_size=size,
                image_size=image_size,
            )
        )
        offset += size
    formats = rows["image_format"].to_pylist()
    facts = rows.select(["pmcid", "version", "image_name"])
    others = {i: facts.slice(i, 1).to_pylist()[0] for i, format in enumerate(formats) if format != "jpeg"}
    return Piece(b"".join(tails), samples, others)


def _utf8(column: pa.ChunkedArray) -> Iterator[memoryview]:
    """Give the bytes of each text, none of them copied. A null has none."""
    texts = column.combine_chunks().cast(pa.large_string())
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1].tolist()
    content = memoryview(data) if data is not None else memoryview(b"")
    return (content[start:end] for start, end in itertools.pairwise(ends))


def _transcode(lake: Lake, others: list[tuple[Rendered, dict]], rendering: Rendering, threads: int) -> None:
    others.sort(key=lambda other: other[0].place)
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
