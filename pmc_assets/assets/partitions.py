"""The partitions: licence group × batch of PMCIDs."""

import warnings

import dagster as dg

from pmc_assets.lake import Partition
from pmc_assets.licenses import LICENSE_GROUPS

license_groups = dg.StaticPartitionsDefinition(list(LICENSE_GROUPS))
BATCH_DIMENSION = "batch"
batches = dg.DynamicPartitionsDefinition(name=BATCH_DIMENSION)
cells = dg.MultiPartitionsDefinition({BATCH_DIMENSION: batches, "license_group": license_groups})

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)
    batch_to_cells = dg.MultiToSingleDimensionPartitionMapping(partition_dimension_name="batch")


def cell_key(batch: str, license_group: str) -> dg.MultiPartitionKey:
    return dg.MultiPartitionKey({"batch": batch, "license_group": license_group})


def partition_of(context: dg.AssetExecutionContext) -> Partition:
    """Give the lake's partition of the running step: a cell, a batch, or the whole table."""
    if not context.has_partition_key:
        return Partition()
    key = context.partition_key
    return cell_partition(key) if isinstance(key, dg.MultiPartitionKey) else Partition.of(batch=key)


def cell_partition(key: str) -> Partition:
    """Give the lake's partition of a cell's key, `batch|license_group` as Dagster writes it."""
    of = cells.get_partition_key_from_str(key).keys_by_dimension
    return Partition.of(license_group=of["license_group"], batch=of["batch"])
