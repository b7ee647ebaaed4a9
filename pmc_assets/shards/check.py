"""What is proven from the shards themselves: licences of their group, offsets that point at the members."""

import json
import tarfile
from collections import Counter
from collections.abc import Iterator

import pyarrow.parquet as pq

from pmc_assets.lake import Lake, Partition
from pmc_assets.licenses import license_group
from pmc_assets.shards import tar
from pmc_assets.shards.index import index_path

JPEG_START = b"\xff\xd8\xff"
OFFSET_COLUMNS = ["sample_key", "sample_offset_bytes", "image_offset_bytes", "text_offset_bytes", "json_offset_bytes"]


def shard_paths(lake: Lake, partition: Partition) -> list[str]:
    """List the tars of one partition of out.shards, as paths inside the lake."""
    return lake.find(lake.partition_path("out.shards", partition), ".tar")


def read_members(lake: Lake, path: str) -> Iterator[dict]:
    """Read the JSON member of every sample of one shard; images are skipped over."""
    with lake.open(path) as file, tarfile.open(fileobj=file) as shard:
        for info in shard:
            if info.name.endswith(".json"):
                content = shard.extractfile(info)
                yield json.load(content) if content else {}


def foreign_licenses(lake: Lake, partition: Partition) -> Counter[str]:
    """Count, by licence code, the samples in the shards whose licence belongs to another group than the folder's."""
    foreign: Counter[str] = Counter()
    for path in shard_paths(lake, partition):
        for sample in read_members(lake, path):
            codes = {sample["license_code"], sample["article_license"] or None}
            if {license_group(code) for code in codes} != {partition["license_group"]}:
                foreign.update(str(code) for code in codes)
    return foreign


def count_wrong_offsets(lake: Lake, partition: Partition) -> int:
    """Count the samples whose offsets in the index do not point at their members' headers and a JPEG's first bytes."""
    return sum(_wrong_offsets(lake, path) for path in shard_paths(lake, partition))


def _wrong_offsets(lake: Lake, path: str) -> int:
    wrong = 0
    with lake.open(index_path(path)) as file:
        rows = pq.ParquetFile(file).read(columns=OFFSET_COLUMNS, use_threads=False).to_pylist()
    with lake.open(path) as shard:
        for row in rows:
            shard.seek(row["sample_offset_bytes"])
            begins = shard.read(tar.BLOCK_BYTES + len(JPEG_START))
            is_right = (
                begins.endswith(JPEG_START)
                and row["image_offset_bytes"] == row["sample_offset_bytes"] + tar.BLOCK_BYTES
            )
            for extension, column in (("jpg", "image"), ("txt", "text"), ("json", "json")):
                shard.seek(row[f"{column}_offset_bytes"] - tar.BLOCK_BYTES)
                name = f"{row['sample_key']}.{extension}".encode()
                is_right = is_right and shard.read(len(name) + 1) == name + b"\0"
            wrong += not is_right
    return wrong
