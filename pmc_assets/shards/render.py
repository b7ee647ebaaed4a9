"""Render every sample of a partition to scratch files: text and JSON members, JPEGs of other formats."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.rejects import Reject
from pmc_assets.shards import tar
from pmc_assets.shards.images import CannotTranscode, ImageReader, ordered, to_jpeg
from pmc_assets.shards.member import FIGURE_IMAGES_SQL, members_sql
from pmc_assets.shards.plan import Rendered
from pmc_assets.shards.samples import samples_table
from pmc_assets.warehouse.derive import partition_files
from pmc_assets.warehouse.views import parquet_view, texts

ROWS_AT_ONCE = 2_048
MEMORY_LIMIT = "128MB"
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


def render(lake: Lake, partition: Partition, scratch: Path, include_article_text: bool, threads: int) -> Rendering:
    """Render all samples of a partition. Samples that cannot become a JPEG are rejects."""
    rendering = Rendering(scratch / "tails", scratch / "jpegs")
    others: list[dict] = []
    digest = hashlib.sha256()
    with rendering.tails.open("wb") as tails:
        for batch in _rows(lake, partition, scratch, include_article_text):
            for row in batch.to_pylist():
                tail = _tail(row)
                sample = _render_text(row, tails.tell(), len(tail))
                tails.write(tail)
                digest.update(tail)
                if row["image_format"] == "jpeg":
                    rendering.samples.append(sample)
                else:
                    others.append({"sample": sample, **{k: row[k] for k in ("pmcid", "version", "image_name")}})
    rendering.digest = digest.hexdigest()
    _transcode(lake, others, rendering, threads)
    return rendering


def open_samples(lake: Lake, partition: Partition, scratch: Path, articles: bool = False) -> duckdb.DuckDBPyConnection:
    """Open DuckDB with the views `all_samples` (and `articles`) over one partition, and little memory."""
    connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(scratch / "duckdb")})
    if not lake.is_local:
        connection.register_filesystem(lake.fs)
    tables = {"all_samples": samples_table()} | ({"articles": schema.CORE_ARTICLES} if articles else {})
    for view, table in tables.items():
        files = partition_files(lake, table.name, partition)
        connection.execute(parquet_view(view, table.arrow, (), texts(files) if files else ""))
    return connection


def _rows(lake: Lake, partition: Partition, scratch: Path, include_article_text: bool) -> Iterator[pa.Table]:
    path = lake.table_path(samples_table().name, partition)
    if not lake.exists(path):
        return
    query, group = members_sql(include_article_text), {"license_group": partition["license_group"]}
    with open_samples(lake, partition, scratch, articles=include_article_text) as connection, lake.open(path) as file:
        connection.execute(f"create table figure_images as {FIGURE_IMAGES_SQL.replace('samples', 'all_samples')}")
        for batch in pq.ParquetFile(file).iter_batches(ROWS_AT_ONCE, use_threads=False):
            connection.register("samples", pa.Table.from_batches([batch]))
            yield connection.sql(query, params=group).to_arrow_table()


def _tail(row: dict) -> bytes:
    key = row["sample_key"]
    text = tar.member(f"{key}.{TEXT_EXTENSION}", row["caption"].encode())
    return text + tar.member(f"{key}.{JSON_EXTENSION}", row["json"].encode())


def _render_text(row: dict, tail_offset: int, tail_size: int) -> Rendered:
    text_size, json_size = len(row["caption"].encode()), len(row["json"].encode())
    return Rendered(
        key=row["sample_key"],
        place=(row["part_path"], row["offset_bytes"], row["size_bytes"]),
        says_types=row["says_types"],
        text_size=text_size,
        json_size=json_size,
        tail_offset=tail_offset,
        tail_size=tail_size,
        image_size=row["size_bytes"],
    )


def _transcode(lake: Lake, others: list[dict], rendering: Rendering, threads: int) -> None:
    others.sort(key=lambda other: other["sample"].place)
    with (
        rendering.jpegs.open("wb") as jpegs,
        ImageReader(lake) as reader,
        ThreadPoolExecutor(threads) as pool,
    ):
        contents = reader.read_all(other["sample"].place for other in others)
        for other, jpeg in zip(others, ordered(pool, _jpeg_or_error, contents, threads + 1), strict=True):
            sample: Rendered = other.pop("sample")
            if isinstance(jpeg, CannotTranscode):
                rendering.rejects.append(
                    Reject(
                        "shards", "image_unreadable", other["pmcid"], other["version"], other["image_name"], str(jpeg)
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
