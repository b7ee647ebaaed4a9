"""out.samples: one row per image with a caption."""

import dagster as dg

from pmc_assets.assets.partitions import cells, partition_of
from pmc_assets.assets.report import asset_key, check_specs, materialization, table_asset, timed
from pmc_assets.resources.lake import LakeResource
from pmc_assets.shards.samples import make_samples, samples_table
from pmc_assets.warehouse.contract import find_contract

SAMPLES = samples_table()


@dg.asset(
    **table_asset(SAMPLES, kinds=("sql", "parquet")),
    deps=[asset_key(name) for name in find_contract(SAMPLES.name).depends],
    partitions_def=cells,
    check_specs=check_specs(asset_key(SAMPLES.name)),
)
def out_samples(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Flatten one cell into one row per image with a caption."""
    store, partition = lake.open(), partition_of(context)
    with timed() as clock:
        result = make_samples(store, partition)
    return materialization(asset_key(SAMPLES.name), result, store, clock.seconds, table=SAMPLES, partition=partition)
