"""The lake as a Dagster resource."""

import re

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
        """Open the lake.

        Raises: ValueError for a batch width that is no power of ten, or a root that DuckDB reads as a pattern;
        LakeSettingChanged if it was made with another batch width.
        """
        if not re.fullmatch("10*", str(self.batch_ids)):
            raise ValueError(f"PMC_BATCH_IDS is {self.batch_ids}: it has to be a power of ten")
        lake = Lake(self.url)
        if set("*?[\\") & set(lake.root) or "::" in self.url:
            raise ValueError(f"{self.url} cannot be the root of a lake: no `*`, `?`, `[`, `\\` or `::` in a path")
        lake.fix_setting("batch_ids", self.batch_ids)
        return lake
