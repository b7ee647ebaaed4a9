"""Write out.jsonl: the PMC-15M form, one line per article with its figures."""

import gzip
import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

import pyarrow.parquet as pq

from pmc_assets.lake import Lake, Partition
from pmc_assets.results import StageResult
from pmc_assets.schema import RAW_FILELISTS
from pmc_assets.shards.check import shard_paths
from pmc_assets.shards.render import IMAGE_EXTENSION, open_samples
from pmc_assets.shards.samples import samples_table

TABLE_NAME = "out.jsonl"
STEM = "articles.jsonl"
ROWS_AT_ONCE = 1_024
LOCATION_COLUMNS = ["pmcid", "version", "xml_url", "package_url"]
COLUMNS = ["sample_key", "pmcid", "version", "pmid", "figure_id", "figure_label", "caption"]

Compression = Literal["none", "gzip"]

_PAIR_IDS = """
with counted as (
    select sample_key, graphic_index,
        pmid || '_' || figure_id as by_pmid,
        pmcid || '_' || figure_index as by_figure,
        count(*) over (partition by pmid, figure_id) as sharing_pmid,
        count(*) over (partition by pmcid, figure_index) as sharing_figure
    from all_samples
)
select p.sample_key, 'tar://' || p.sample_key || $extension || p.shard as graphic_ref,
    case
        when by_pmid is not null and sharing_pmid = 1 then by_pmid
        when sharing_figure = 1 then by_figure
        else by_figure || '_' || graphic_index
    end as pair_id
from counted
join places as p using (sample_key)
"""


def write_jsonl(lake: Lake, partition: Partition, *, compression: Compression = "none") -> StageResult:
    """Write one partition's articles as JSON lines: pmid, pmc, location, figures.

    Shape: one line per article, one figure per sample of its shards. `graphic_ref` is an fsspec URL of the image in
    its shard, `tar://<key>.jpg::shards/...`, relative to the folder that holds `jsonl/` and `shards/`. `pair_id` is
    `<pmid>_<fig_id>` where no other figure of the partition has that, else `<pmcid>_<figure_index>`, followed by
    `_<graphic_index>` where a figure has several images.
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
                file.write(line.encode() + b"\n")
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


def _lines(lake: Lake, partition: Partition, scratch: Path) -> Iterator[tuple[str, int]]:
    path = lake.table_path(samples_table().name, partition)
    if not lake.exists(path):
        return
    pairs = _pairs(lake, partition, scratch)
    filelists = lake.read_table(RAW_FILELISTS, partition, columns=LOCATION_COLUMNS).to_pylist()
    locations = {(row["pmcid"], row["version"]): row["xml_url"] or row["package_url"] or "" for row in filelists}
    with lake.open(path) as file:
        batches = pq.ParquetFile(file).iter_batches(ROWS_AT_ONCE, columns=COLUMNS, use_threads=False)
        samples = (row for batch in batches for row in batch.to_pylist() if row["sample_key"] in pairs)
        for article_key, rows in itertools.groupby(samples, key=lambda row: (row["pmcid"], row["version"])):
            location, figures, pmid = locations.get(article_key, ""), [], None
            for row in rows:
                figures.append(_figure(row, *pairs[row["sample_key"]]))
                pmid = row["pmid"]
            article = {"pmid": str(pmid or ""), "pmc": article_key[0], "location": location, "figures": figures}
            yield json.dumps(article, ensure_ascii=False), len(figures)


def _figure(row: dict, graphic_ref: str, pair_id: str) -> dict[str, str]:
    return {
        "fig_caption": row["caption"],
        "fig_id": row["figure_id"] or "",
        "fig_label": row["figure_label"] or "",
        "graphic_ref": graphic_ref,
        "pair_id": pair_id,
    }


def _pairs(lake: Lake, partition: Partition, scratch: Path) -> dict[str, tuple[str, str]]:
    """Give graphic_ref and pair_id of every sample that is in a shard."""
    with open_samples(lake, partition, scratch) as connection:
        connection.execute("create table places (sample_key varchar, shard varchar)")
        for path in shard_paths(lake, partition):
            with lake.open(path.replace(".tar", ".parquet")) as file:
                keys = pq.ParquetFile(file).read(columns=["sample_key"], use_threads=False)
            connection.register("keys", keys)
            connection.execute("insert into places select sample_key, ? from keys", [path.removeprefix("out/")])
            connection.unregister("keys")
        rows = connection.execute(_PAIR_IDS, {"extension": f".{IMAGE_EXTENSION}::"}).fetchall()
    return {key: (graphic_ref, pair_id) for key, graphic_ref, pair_id in rows}
