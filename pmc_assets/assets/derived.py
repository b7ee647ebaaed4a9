"""Every table that SQL derives: one asset per file of sql/core and sql/out, made from its header."""

from collections.abc import Callable
from functools import cache

import dagster as dg

from pmc_assets.assets.partitions import batch_to_cells, cells, partition_of
from pmc_assets.assets.report import asset_key, check_specs, materialization, none_check, table_asset, timed
from pmc_assets.lake import Lake, Partition
from pmc_assets.resources.lake import LakeResource
from pmc_assets.results import StageResult
from pmc_assets.shards.samples import make_samples
from pmc_assets.warehouse.contract import SqlContract, table_contracts
from pmc_assets.warehouse.derive import derived_table, find_table
from pmc_assets.warehouse.lineage import read_lineage
from pmc_assets.warehouse.stage import count_failures, derive_partition

MADE_IN_PIECES: dict[str, Callable[[Lake, Partition], StageResult]] = {"out.samples": make_samples}


def _dependency(name: str) -> dg.AssetDep:
    by_batch = find_table(name).partitioned_by == ("batch",)
    return dg.AssetDep(asset_key(name), partition_mapping=batch_to_cells if by_batch else None)


def derived_asset(contract: SqlContract) -> dg.AssetsDefinition:
    """Make the asset of one SQL file: key, description, columns, dependencies and blocking checks from its header."""
    table = derived_table(contract)
    key = asset_key(contract.name)
    header_checks = {
        check: dg.AssetCheckSpec(f"check_{number}", asset=key, blocking=True, description=check)
        for number, check in enumerate(contract.checks, start=1)
    }

    @dg.asset(
        **table_asset(table, kinds=("sql", "duckdb", "parquet")),
        deps=[_dependency(name) for name in contract.depends],
        partitions_def=cells,
        check_specs=check_specs(key) + list(header_checks.values()),
        code_version=contract.digest,
    )
    def derive(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
        store, partition = lake.open(), partition_of(context)
        with timed() as clock:
            if contract.name in MADE_IN_PIECES:
                result = MADE_IN_PIECES[contract.name](store, partition)
            else:
                result = derive_partition(store, contract, partition)
        checks = tuple(
            none_check(key, header_checks[check].name, rows=count)
            for check, count in count_failures(store, contract, partition).items()
        )
        lineage = {"dagster/column_lineage": _column_lineage(contract)}
        return materialization(
            key, result, store, clock.seconds, table=table, partition=partition, checks=checks, metadata=lineage
        )

    return derive


@cache
def _column_lineage(contract: SqlContract) -> dg.TableColumnLineage:
    """Say of every column which columns its query reads for it."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(asset_key(table), name) for table, name in sources]
            for column, sources in read_lineage(contract).items()
        }
    )


derived_assets = [derived_asset(contract) for contract in table_contracts().values()]
