"""Every table that SQL derives: one asset per file of sql/core and sql/out, made from its header."""

import dagster as dg

from pmc_assets.assets.partitions import batch_to_cells, cells, partition_of
from pmc_assets.assets.report import asset_key, check_specs, materialization, table_asset, timed
from pmc_assets.resources.lake import LakeResource
from pmc_assets.warehouse.contract import SqlContract, table_contracts
from pmc_assets.warehouse.derive import derived_table, find_table
from pmc_assets.warehouse.stage import derive_partition


def _dependency(name: str) -> dg.AssetDep:
    by_batch = find_table(name).partitioned_by == ("batch",)
    return dg.AssetDep(asset_key(name), partition_mapping=batch_to_cells if by_batch else None)


def derived_asset(contract: SqlContract) -> dg.AssetsDefinition:
    """Make the asset of one SQL file: key, description, columns, dependencies and blocking checks from its header."""
    table = derived_table(contract)
    key = asset_key(contract.name)
    header_checks = [
        dg.AssetCheckSpec(f"check_{number}", asset=key, blocking=True, description=check)
        for number, check in enumerate(contract.checks, start=1)
    ]

    @dg.asset(
        **table_asset(table, kinds=("sql", "duckdb", "parquet")),
        deps=[_dependency(name) for name in contract.depends],
        partitions_def=cells,
        check_specs=check_specs(key) + header_checks,
        code_version=contract.digest,
    )
    def derive(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
        store, partition = lake.open(), partition_of(context)
        with timed() as clock:
            result, failures = derive_partition(store, contract, partition)
        checks = tuple(
            dg.AssetCheckResult(asset_key=key, check_name=spec.name, passed=failures[check] == 0)
            for spec, check in zip(header_checks, contract.checks, strict=True)
        )
        return materialization(key, result, store, clock.seconds, table=table, partition=partition, checks=checks)

    return derive


derived_assets = [derived_asset(contract) for contract in table_contracts().values()]
