"""raw/packages: the stored files of a cell's articles."""

import dagster as dg

from pmc_assets import schema
from pmc_assets.assets.partitions import cells, partition_of
from pmc_assets.assets.progress import log_progress
from pmc_assets.assets.report import asset_key, check_specs, materialization, none_check, table_asset, timed
from pmc_assets.packages.account import count_unaccounted
from pmc_assets.packages.store import store_packages
from pmc_assets.resources.lake import LakeResource
from pmc_assets.resources.source import POOL, SourceResource

TABLE = schema.RAW_PACKAGES
KEY = asset_key(TABLE.name)
OFFERED_CHECK = "every_offer_is_stored_or_rejected"


@dg.asset(
    **table_asset(TABLE, kinds=("parquet", "tar"), layout="`packages.parquet` beside the parts `part-NNNNN.tar`"),
    partitions_def=cells,
    deps=[asset_key(schema.RAW_FILELISTS.name)],
    pool=POOL,
    check_specs=[
        *check_specs(KEY),
        dg.AssetCheckSpec(
            OFFERED_CHECK, asset=KEY, blocking=True, description="Every version on offer has its XML stored or a reject"
        ),
    ],
)
def packages(context: dg.AssetExecutionContext, lake: LakeResource, source: SourceResource) -> dg.MaterializeResult:
    """Fetch the files of one cell that are missing or changed."""
    store, partition = lake.open(), partition_of(context)
    with timed() as clock, source.opened() as opened:
        progress = log_progress(context.log, "articles", opened.counts)
        result = store_packages(opened, store, partition, keep=source.kept, progress=progress)
        transfer = {"requests": opened.counts.requests, "retries": opened.counts.retries}
    checks = (none_check(KEY, OFFERED_CHECK, unaccounted=count_unaccounted(store, partition)),)
    return materialization(
        KEY, result, store, clock.seconds, table=TABLE, partition=partition, checks=checks, metadata=transfer
    )
