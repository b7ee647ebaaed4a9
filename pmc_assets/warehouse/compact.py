"""Compaction: one Parquet file per hundred batches of a table with many partitions, so that a scan opens few files.

The partitions stay what they are; a block is rewritten when one of its partitions changed. Views over it stay out.
"""

import json
import re
from collections import defaultdict
from pathlib import Path

import pyarrow as pa

from pmc_assets.lake import Lake
from pmc_assets.schema import PARTITION_COLUMNS, Table, column
from pmc_assets.warehouse.engine import open_duckdb
from pmc_assets.warehouse.views import literal, parquet_view, texts

COMPACTED_TABLES = ("out.samples",)
COMPACTED_FROM_FILES = 256
ROW_GROUP_ROWS = 122_880
MANIFEST = "manifest.json"

Blocks = dict[str, dict[str, str]]


def compact_table(lake: Lake, table: Table, files: dict[str, str]) -> list[str]:
    """Bring a table's blocks up to date with its files (path to version); give the blocks' paths.

    Shape: `compact/<layer>/<table>/license_group=<group>/<batch, two more digits open>.parquet`, rows in file order,
    the batch as a column. Empty: [] below COMPACTED_FROM_FILES files, and no block is kept.
    """
    folder = f"compact/{table.layer}/{table.short_name}"
    manifest = f"{folder}/{MANIFEST}"
    if len(files) < COMPACTED_FROM_FILES:
        lake.delete(folder)
        return []
    wanted = _blocks(folder, files)
    known: Blocks = json.loads(lake.read_bytes(manifest)) if lake.exists(manifest) else {}
    for block in sorted(set(known) - set(wanted)):
        lake.delete(block)
    for block, sources in wanted.items():
        if known.get(block) != sources:
            _write_block(lake, table, block, list(sources))
            known[block] = sources
            lake.write_bytes(manifest, json.dumps({b: known[b] for b in wanted if b in known}).encode())
    return list(wanted)


def compact_schema(table: Table) -> pa.Schema:
    """Give the columns of a block: the table's, then the batch."""
    batch = column("batch", pa.string(), PARTITION_COLUMNS["batch"], required=True)
    return pa.schema([*table.arrow, batch])


def _blocks(folder: str, files: dict[str, str]) -> Blocks:
    blocks: Blocks = defaultdict(dict)
    for path, version in files.items():
        group, batch = path.split("/")[2:4]
        block = re.sub(r"\d{2}(x*)$", r"xx\1", batch.removeprefix("batch="))
        blocks[f"{folder}/{group}/{block}.parquet"][path] = version
    return dict(sorted(blocks.items()))


def _write_block(lake: Lake, table: Table, block: str, sources: list[str]) -> None:
    paths = texts(f"{lake.duckdb_root}/{path}" for path in sources)
    with lake.scratch() as folder, open_duckdb(lake) as connection:
        local = Path(folder) / "block.parquet"
        connection.execute(f"create schema {table.layer}")
        connection.execute(parquet_view(table.name, table.arrow, ("batch",), paths))
        connection.execute(
            f"copy (from {table.name}) to {literal(str(local))}"
            f" (format parquet, compression zstd, row_group_size {ROW_GROUP_ROWS})"
        )
        lake.publish_file(local, block)
