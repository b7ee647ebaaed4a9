"""Pools: how many steps may ask the same service at once. The rate of EFetch is kept elsewhere."""

import dagster as dg

from pmc_assets.resources.efetch import POOL as ENTREZ
from pmc_assets.resources.source import POOL as SOURCE

LIMITS = {ENTREZ: 1, SOURCE: 8}


def set_pool_limits(instance: dg.DagsterInstance) -> None:
    """Give each pool its limit, where nobody has set another (`dagster instance concurrency set source 16`)."""
    events = instance.event_log_storage
    if not events.supports_global_concurrency_limits:
        return
    chosen = {pool.name for pool in events.get_pool_limits() if not pool.from_default}
    for name in LIMITS.keys() - chosen:
        events.set_concurrency_slots(name, LIMITS[name])
