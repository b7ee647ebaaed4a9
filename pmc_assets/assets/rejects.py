"""core/rejects: what the stages of a cell left out, brought together."""

import dagster as dg

from pmc_assets import schema
from pmc_assets.assets.partitions import cells, partition_of
from pmc_assets.assets.report import asset_key, bars, counts_spec, materialization, table_asset, timed
from pmc_assets.rejects import gather_rejects
from pmc_assets.resources.lake import LakeResource

REJECTS = schema.CORE_REJECTS
STAGES = (
    "raw/packages",
    "core/articles",
    "core/images",
    "core/pubmed_records",
    "core/embeddings",
    "out/samples",
    "out/shards",
)


@dg.asset(
    **table_asset(REJECTS, layout="`core/rejects/license_group=…/batch=…/<stage>.parquet`, written by each stage"),
    deps=[dg.AssetKey(stage.split("/")) for stage in STAGES],
    partitions_def=cells,
    check_specs=[counts_spec(asset_key(REJECTS.name))],
)
def rejects(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Count the rejects that the stages of one cell wrote, by stage and reason."""
    store, partition = lake.open(), partition_of(context)
    with timed() as clock:
        result = gather_rejects(store, partition)
    plots = bars("plot", result.details, "Records left out, by stage and reason")
    return materialization(asset_key(REJECTS.name), result, store, clock.seconds, partition=partition, metadata=plots)
