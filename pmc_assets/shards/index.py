"""The Parquet beside each shard: where each sample's bytes are, and the columns that people filter by."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pmc_assets.schema import column
from pmc_assets.shards.samples import samples_table

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


def index_schema() -> pa.Schema:
    """Give the index's schema: key, offsets, then the columns of out.samples but for long texts and lake places."""
    columns = [f for f in samples_table().columns if f.name not in LEFT_OUT]
    return pa.schema(
        [columns[0], *OFFSETS, *columns[1:]],
        metadata={"description": "One row per sample of the tar of the same stem, in the tar's order"},
    )


def write_index(samples: duckdb.DuckDBPyConnection, places: pa.Table, path: Path) -> None:
    """Write the index of one shard from its samples' places and the view `all_samples`."""
    schema = index_schema()
    samples.register("places", places)
    names = ", ".join(f"{'p' if f in OFFSETS else 's'}.{f.name}" for f in schema)
    rows = samples.sql(
        f"select {names} from places as p join all_samples as s using (sample_key) order by p.position"
    ).to_arrow_table()
    samples.unregister("places")
    pq.write_table(rows.cast(schema), path, compression="zstd")
