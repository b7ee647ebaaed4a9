"""The lake as a Dagster resource."""

import dagster as dg

from pmc_assets.batches import DEFAULT_BATCH_IDS
from pmc_assets.lake import Lake


class LakeResource(dg.ConfigurableResource):
    """The root of all tables: any fsspec URL. `batch_ids` is fixed for a lake at its first use.

    `workers` is how many processes a step may use; rows and bytes do not depend on it.
    """

    url: str = "lake"
    batch_ids: int = DEFAULT_BATCH_IDS
    workers: int = 1

    def open(self) -> Lake:
        """Open the lake. Raises: LakeSettingChanged if it was made with another batch width."""
        lake = Lake(self.url)
        lake.fix_setting("batch_ids", self.batch_ids)
        return lake
