"""raw/inventory: what the source lists today; and the batches of PMCIDs that it has."""

import dagster as dg

from pmc_assets import schema
from pmc_assets.assets.partitions import batches
from pmc_assets.assets.report import KEYS_CHECK, OWNERS, asset_key, check_specs, materialization, table_asset, timed
from pmc_assets.assets.runless import observe_changed
from pmc_assets.filelists.inventory import last_snapshot, stored_batches, take_inventory
from pmc_assets.filelists.inventory_changes import batch_digests, count_repeated_keys
from pmc_assets.lake import CONTENTS
from pmc_assets.resources.lake import LakeResource
from pmc_assets.resources.source import POOL, SourceResource

TABLE = schema.RAW_INVENTORY
KEY = asset_key(TABLE.name)
BATCHES_KEY = dg.AssetKey(["raw", "inventory_batches"])

inventory_batches = dg.AssetSpec(
    BATCHES_KEY,
    deps=[KEY],
    partitions_def=batches,
    group_name="raw",
    owners=OWNERS,
    kinds={"parquet"},
    description="The rows of one batch in raw/inventory. Its data version is their digest, so that a new inventory "
    "makes only those batches stale in which something changed. raw/inventory reports it; nothing is run.",
)


@dg.asset(**table_asset(TABLE), pool=POOL, check_specs=check_specs(KEY))
def inventory(context: dg.AssetExecutionContext, lake: LakeResource, source: SourceResource) -> dg.MaterializeResult:
    """Store the newest inventory, add the batches that appeared, mark those that changed."""
    store = lake.open()
    store.fix_setting(CONTENTS, source.contents)
    with timed() as clock, source.opened() as opened:
        result = take_inventory(opened, store, lake.batch_ids, source.max_shrink)
    date = last_snapshot(store) or ""
    digests = batch_digests(store, date, stored_batches(store))
    added = sorted(digests.keys() - set(context.instance.get_dynamic_partitions(batches.name)))
    context.instance.add_dynamic_partitions(batches.name, added)
    marked = observe_changed(context.instance, BATCHES_KEY, digests)
    context.log.info(f"inventory of {date}: {result.rows:,} versions, {len(added)} new batches, {marked} to be updated")
    metadata = {"batches_added": len(added), "batches_to_update": marked}
    repeated = count_repeated_keys(store, date)
    keys_check = dg.AssetCheckResult(
        asset_key=KEY, check_name=KEYS_CHECK, passed=repeated == 0, metadata={"duplicate_keys": repeated}
    )
    return materialization(KEY, result, store, clock.seconds, checks=(keys_check,), metadata=metadata)
