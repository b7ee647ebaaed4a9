"""The Parquet beside each shard: where each sample's bytes are, and the columns that people filter by."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pmc_assets.lake import Lake, Partition
from pmc_assets.schema import column
from pmc_assets.shards.samples import samples_table

ROWS_AT_ONCE = 4_096
LEFT_OUT = {
    "abstract",
    "mentions",
    "subcaptions",
    "reference_ids",
    "group_caption",
    "part_path",
    "offset_bytes",
    "size_bytes",
}
OFFSETS = tuple(
    column(f"{member}_{what}_bytes", pa.int64(), f"{meaning} {of}", unit="bytes", required=True)
    for member, of in (
        ("sample", "the sample's first member, header included"),
        ("image", "the content of the .jpg member"),
        ("text", "the content of the .txt member"),
        ("json", "the content of the .json member"),
    )
    for what, meaning in (("offset", "Where in the tar begins"), ("size", "Length of"))
)


def index_path(shard: str) -> str:
    """Give the path of the index beside a tar."""
    return shard.removesuffix(".tar") + ".parquet"


def index_schema() -> pa.Schema:
    """Give the index's schema: key, offsets, then the columns of out.samples but for long texts and lake places."""
    columns = [f for f in samples_table().columns if f.name not in LEFT_OUT]
    return pa.schema(
        [columns[0], *OFFSETS, *columns[1:]],
        metadata={"description": "One row per sample of the tar of the same stem, in the tar's order"},
    )


def write_index(lake: Lake, partition: Partition, places: pa.Table, path: Path) -> None:
    """Write the index of one shard from its samples' places and the partition's out.samples, a few rows at a time."""
    schema = index_schema()
    columns = [f.name for f in schema if f.name not in places.column_names or f.name == "sample_key"]
    found, positions = [], []
    with lake.open(lake.table_path(samples_table().name, partition)) as file:
        for batch in pq.ParquetFile(file).iter_batches(ROWS_AT_ONCE, columns=columns, use_threads=False):
            position = pc.index_in(batch["sample_key"], value_set=places["sample_key"])
            found.append(batch.filter(position.is_valid()))
            positions.append(position.drop_null())
    rows = pa.Table.from_batches(found).take(np.argsort(np.concatenate(positions))).combine_chunks()
    known = {name: table[name] for table in (rows, places) for name in table.column_names}
    index = [known.get(f.name, pa.nulls(places.num_rows, f.type)) for f in schema]
    pq.write_table(pa.table(index, names=schema.names).cast(schema), path, compression="zstd")
