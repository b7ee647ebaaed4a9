"""Every table that the warehouse shows: parsed, derived, and the index of the shards."""

from functools import cache

import pyarrow as pa

from pmc_assets.schema import TABLES, Table, column
from pmc_assets.shards.index import index_schema
from pmc_assets.warehouse.contract import table_contracts
from pmc_assets.warehouse.derive import derived_table

SHARDS = "out.shards"
SHARD_PATH = column("shard_path", pa.string(), "Tar of the sample, inside the lake", required=True)
FROM_FILENAME = {SHARDS: {"shard_path": "filename[strpos(filename, '/out/shards/license_group=') + 1 : -9] || '.tar'"}}
"""Without a regular expression, which costs 4 µs a row; 9 characters are those of `.parquet` and one."""


@cache
def shards_table() -> Table:
    """Give the contract of the shards' index as the warehouse shows it."""
    index = index_schema()
    row = "One row per sample in its shard: where its bytes are, and the columns that people filter by"
    return Table(SHARDS, row, ("sample_key",), (index[0], SHARD_PATH, *list(index)[1:]))


def all_tables() -> dict[str, Table]:
    """Give the contract of every table of the lake by name."""
    derived = {name: derived_table(contract) for name, contract in table_contracts().items()}
    return TABLES | derived | {SHARDS: shards_table()}
