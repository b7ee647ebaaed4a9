"""raw/article_versions: NLM's metadata of every deposit of a batch."""

from datetime import UTC, datetime

import dagster as dg

from pmc_assets import schema
from pmc_assets.assets.inventory import BATCHES_KEY
from pmc_assets.assets.partitions import batches, partition_of
from pmc_assets.assets.report import asset_key, check_specs, materialization, table_asset, timed
from pmc_assets.filelists.article_versions import update_article_versions
from pmc_assets.resources.lake import LakeResource
from pmc_assets.resources.source import POOL, SourceResource

TABLE = schema.RAW_ARTICLE_VERSIONS
KEY = asset_key(TABLE.name)


@dg.asset(**table_asset(TABLE), partitions_def=batches, deps=[BATCHES_KEY], pool=POOL, check_specs=check_specs(KEY))
def article_versions(
    context: dg.AssetExecutionContext, lake: LakeResource, source: SourceResource
) -> dg.MaterializeResult:
    """Fetch the metadata of the versions that are new or changed in one batch."""
    store, partition = lake.open(), partition_of(context)
    with timed() as clock, source.opened() as opened:
        result = update_article_versions(opened, store, partition["batch"], datetime.now(UTC))
        transfer = {"requests": opened.counts.requests, "retries": opened.counts.retries}
    return materialization(KEY, result, store, clock.seconds, table=TABLE, partition=partition, metadata=transfer)
