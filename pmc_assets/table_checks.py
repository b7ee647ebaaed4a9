"""Checks of a table's content against its contract."""

import pyarrow.compute as pc

from pmc_assets.lake import Lake, Partition
from pmc_assets.schema import Table


def count_duplicate_keys(lake: Lake, table: Table, partition: Partition) -> int:
    """Count the rows of a partition whose key an earlier row has."""
    keys = lake.read_table(table, partition, columns=list(table.key))
    groups = keys.group_by(list(table.key)).aggregate([([], "count_all")])
    return keys.num_rows - (groups.num_rows if keys.num_rows else 0)


def count_null_required(lake: Lake, table: Table, partition: Partition) -> int:
    """Count nulls in columns that the contract requires."""
    required = [f.name for f in table.columns if not f.nullable]
    rows = lake.read_table(table, partition, columns=required)
    return sum(pc.sum(pc.is_null(rows[name])).as_py() or 0 for name in required)
