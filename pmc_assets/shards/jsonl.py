"""Write out.jsonl: the PMC-15M form, one line per article with its figures."""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

import pyarrow.parquet as pq

from pmc_assets.lake import Lake, Partition
from pmc_assets.results import StageResult
from pmc_assets.shards.check import shard_paths
from pmc_assets.shards.render import IMAGE_EXTENSION, open_samples
from pmc_assets.warehouse.derive import find_table, partition_files
from pmc_assets.warehouse.views import parquet_view, texts

TABLE_NAME = "out.jsonl"
STEM = "articles.jsonl"
LINES_AT_ONCE = 256

Compression = Literal["none", "gzip"]

ARTICLE_LINES = f"""
with counted as (
    select s.*, a.shard,
        s.pmid || '_' || s.figure_id as by_pmid,
        s.pmcid || '_' || s.figure_index as by_figure,
        count(*) over (partition by s.pmid, s.figure_id) as sharing_pmid,
        count(*) over (partition by s.pmcid, s.figure_index) as sharing_figure
    from thin_samples as s
    join places as a using (sample_key)
),
articles as (
    select pmcid, version, any_value(pmid) as pmid,
        list({{
            'fig_caption': caption,
            'fig_id': coalesce(figure_id, ''),
            'fig_label': coalesce(figure_label, ''),
            'graphic_ref': 'tar://' || sample_key || '.{IMAGE_EXTENSION}::' || shard,
            'pair_id': case
                when by_pmid is not null and sharing_pmid = 1 then by_pmid
                when sharing_figure = 1 then by_figure
                else by_figure || '_' || graphic_index
            end
        }} order by figure_index, graphic_index) as figures
    from counted
    group by pmcid, version
)
select a.figures.len() as figure_count, to_json({{
    'pmid': coalesce(a.pmid::varchar, ''),
    'pmc': a.pmcid,
    'location': coalesce(l.xml_url, l.package_url, ''),
    'figures': a.figures
}})::varchar as line
from articles as a
left join filelists as l using (pmcid, version)
order by a.pmcid[4:]::bigint, a.version
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
    with open_samples(lake, partition, scratch) as connection:
        filelists = find_table("raw.filelists")
        files = partition_files(lake, filelists.name, partition)
        connection.execute(parquet_view("filelists", filelists.arrow, (), texts(files) if files else ""))
        connection.execute("create table places (sample_key varchar, shard varchar)")
        for path in shard_paths(lake, partition):
            with lake.open(path.replace(".tar", ".parquet")) as file:
                keys = pq.ParquetFile(file).read(columns=["sample_key"], use_threads=False)
            connection.register("keys", keys)
            connection.execute("insert into places select sample_key, ? from keys", [path.removeprefix("out/")])
            connection.unregister("keys")
        connection.execute(
            "create view thin_samples as select sample_key, pmcid, version, pmid, figure_index, graphic_index,"
            " figure_id, figure_label, caption from samples"
        )
        for batch in connection.sql(ARTICLE_LINES).to_arrow_reader(LINES_AT_ONCE):
            yield from zip(batch["line"].to_pylist(), batch["figure_count"].to_pylist(), strict=True)
