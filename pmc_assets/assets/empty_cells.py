"""Cells without articles: everything downstream of their empty file list is there, with no rows."""

from functools import cache

import dagster as dg

from pmc_assets import schema
from pmc_assets.assets.partitions import cell_partition, cells
from pmc_assets.assets.report import asset_key
from pmc_assets.assets.runless import report_changed
from pmc_assets.lake import Lake

FILELISTS_KEY = asset_key(schema.RAW_FILELISTS.name)
EMPTY_VERSION = "empty"


def report_empty_cells(instance: dg.DagsterInstance, lake: Lake, lists: dict[str, str]) -> None:
    """Report 0 rows downstream of the given cells (cell key to the data version of its empty file list).

    A cell that had articles and still stores some is left out: its stages have to run once to clear it.
    """
    cleared = {name: version for name, version in lists.items() if not _stores_something(lake, name)}
    for key, parents in _downstream_of_cells().items():
        inputs = {
            name: {parent: version if parent == FILELISTS_KEY else EMPTY_VERSION for parent in parents}
            for name, version in cleared.items()
        }
        report_changed(
            instance,
            key,
            dict.fromkeys(cleared, EMPTY_VERSION),
            inputs=inputs,
            rows=dict.fromkeys(cleared, 0),
        )


@cache
def _downstream_of_cells() -> dict[dg.AssetKey, set[dg.AssetKey]]:
    """Name the assets over cells that follow from the file lists, with their parents over cells.

    A run's own graph holds only what was selected for it, so the whole one is asked.
    """
    from pmc_assets.definitions import defs

    graph = defs.resolve_asset_graph()
    downstream = dg.AssetSelection.assets(FILELISTS_KEY).downstream(include_self=False).resolve(graph)
    of_cells = {key for key in downstream if graph.get(key).partitions_def == cells}
    return {key: set(graph.get(key).parent_keys) & (of_cells | {FILELISTS_KEY}) for key in sorted(of_cells)}


def _stores_something(lake: Lake, name: str) -> bool:
    return lake.exists(lake.table_path(schema.RAW_PACKAGES.name, cell_partition(name)))
