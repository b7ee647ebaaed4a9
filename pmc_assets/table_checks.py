"""Checks of a table's content against its contract."""

from pmc_assets.lake import Lake, Partition
from pmc_assets.schema import Table


def count_duplicate_keys(lake: Lake, table: Table, partition: Partition) -> int:
    """Count the rows of a partition whose key an earlier row has."""
    keys = lake.read_table(table, partition, columns=list(table.key))
    groups = keys.group_by(list(table.key)).aggregate([([], "count_all")])
    return keys.num_rows - groups.num_rows
