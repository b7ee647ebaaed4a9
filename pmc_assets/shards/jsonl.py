"""Write out.jsonl: the PMC-15M form, one line per article with its figures."""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

import pyarrow.parquet as pq

from pmc_assets.lake import Lake, Partition
from pmc_assets.results import StageResult
from pmc_assets.schema import RAW_FILELISTS
from pmc_assets.shards.article_lines import article_lines
from pmc_assets.shards.check import shard_paths
from pmc_assets.shards.index import index_path
from pmc_assets.shards.render import open_tables
from pmc_assets.shards.samples import samples_table

TABLE_NAME = "out.jsonl"
STEM = "articles.jsonl"
LOCATION_COLUMNS = ["pmcid", "version", "xml_url", "package_url"]

Compression = Literal["none", "gzip"]


def write_jsonl(lake: Lake, partition: Partition, *, compression: Compression = "none") -> StageResult:
    """Write one partition's articles as JSON lines: pmid, pmc, location, figures.

    Shape: as `article_lines` gives them, one figure per sample of the partition's shards. `graphic_ref` is relative to
    the folder that holds `jsonl/` and `shards/`: `tar://<key>.jpg::shards/...`.
    Empty: no samples, no file.
    """
    name = STEM if compression == "none" else f"{STEM}.gz"
    target = lake.partition_path(TABLE_NAME, partition)
    articles = figures = 0
    with lake.scratch() as scratch:
        folder = scratch / "jsonl"
        folder.mkdir()
        with _open(folder / name, compression) as file:
            for line, figure_count in _lines(lake, partition, scratch):
                file.write(line)
                articles, figures = articles + 1, figures + figure_count
        size_bytes = (folder / name).stat().st_size
        with (folder / name).open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        if articles:
            lake.publish_folder(folder, target)
        else:
            lake.delete(target)
    return StageResult(
        listed=figures,
        stored=figures,
        rows=articles,
        size_bytes=size_bytes,
        digest=digest,
        paths=[f"{target}/{name}"] if articles else [],
        details={"articles": articles, "figures": figures},
    )


def _open(path: Path, compression: Compression) -> IO[bytes]:
    if compression == "gzip":
        return gzip.GzipFile(path, "wb", mtime=0)  # type: ignore[return-value]
    return path.open("wb")


def _lines(lake: Lake, partition: Partition, scratch: Path) -> Iterator[tuple[bytes, int]]:
    """Give the lines of the samples that are in a shard."""
    with open_tables(lake, partition, scratch, {"all_samples": samples_table()}) as connection:
        connection.execute("create table places (sample_key varchar, shard varchar)")
        for path in shard_paths(lake, partition):
            with lake.open(index_path(path)) as file:
                keys = pq.ParquetFile(file).read(columns=["sample_key"], use_threads=False)
            connection.register("keys", keys)
            connection.execute("insert into places select sample_key, ? from keys", [path.removeprefix("out/")])
            connection.unregister("keys")
        connection.register("filelists", lake.read_table(RAW_FILELISTS, partition, columns=LOCATION_COLUMNS))
        yield from article_lines(connection, "(from all_samples join places using (sample_key))", "filelists")
