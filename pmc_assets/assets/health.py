"""Checks over the history: is the inventory fresh, did the share of rejects jump? Checks of one run stay out."""

import datetime
import time
from collections.abc import Sequence
from statistics import median

import dagster as dg

from pmc_assets import schema
from pmc_assets.assets.report import asset_key

INVENTORY = asset_key(schema.RAW_INVENTORY.name)
WATCHED = (schema.RAW_PACKAGES, schema.CORE_IMAGES, schema.CORE_PUBMED_RECORDS)
INVENTORY_MAX_AGE = datetime.timedelta(days=3)
RECENT_RUNS = 100
MIN_LISTED = 50
JUMP_FACTOR = 3.0
JUMP_SHARE = 0.02


@dg.asset_check(asset=INVENTORY, description=f"An inventory was taken in the last {INVENTORY_MAX_AGE.days} days")
def inventory_is_fresh(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    event = context.instance.get_latest_materialization_event(INVENTORY)
    age_s = time.time() - event.timestamp if event else float("inf")
    return dg.AssetCheckResult(
        passed=age_s <= INVENTORY_MAX_AGE.total_seconds(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"age_hours": round(age_s / 3600, 1)} if event else {"age_hours": "never taken"},
    )


def share_jumped(share: float, before: Sequence[float]) -> bool:
    """Say whether a share of rejects is far over the median of those before it. Empty: False."""
    return bool(before) and share > max(JUMP_FACTOR * median(before), median(before) + JUMP_SHARE)


def reject_shares(instance: dg.DagsterInstance, key: dg.AssetKey) -> list[tuple[str, float]]:
    """List partition and share of rejects of the last materialisations, newest first; small ones are left out."""
    shares = []
    for record in instance.fetch_materializations(key, limit=RECENT_RUNS).records:
        event = record.asset_materialization
        listed, rejected = (_number(event, name) for name in ("listed", "rejected"))
        if event is not None and listed >= MIN_LISTED:
            shares.append((event.partition or "", rejected / listed))
    return shares


def _number(event: dg.AssetMaterialization | None, name: str) -> float:
    value = event.metadata.get(name) if event is not None else None
    return float(value.value or 0) if isinstance(value, dg.IntMetadataValue | dg.FloatMetadataValue) else 0.0


def _reject_share_check(key: dg.AssetKey) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key,
        name="reject_share_is_as_usual",
        description=f"The newest share of rejects is at most {JUMP_FACTOR:g} times the median of those before",
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        shares = reject_shares(context.instance, key)
        newest, before = shares[:1], [share for _, share in shares[1:]]
        return dg.AssetCheckResult(
            passed=not newest or not share_jumped(newest[0][1], before),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "partition": newest[0][0] if newest else "",
                "share": round(newest[0][1], 4) if newest else 0.0,
                "usual_share": round(median(before), 4) if before else 0.0,
                "compared_with": len(before),
            },
        )

    return check


reject_shares_as_usual = [_reject_share_check(asset_key(table.name)) for table in WATCHED]
