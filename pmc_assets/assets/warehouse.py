"""What SQL asks beside the tables: the warehouse file, the index of captions, the indexes of neighbours."""

import dagster as dg

from pmc_assets.assets.report import OWNERS, asset_key, counts_spec, materialization, timed
from pmc_assets.resources.lake import LakeResource
from pmc_assets.results import StageResult
from pmc_assets.schema import MODELS_CLUSTER_MEMBERS
from pmc_assets.warehouse.build import build_warehouse
from pmc_assets.warehouse.catalog import all_tables
from pmc_assets.warehouse.neighbour_index import encoders, update_neighbours
from pmc_assets.warehouse.search import update_search

KEY = dg.AssetKey(["warehouse"])
SEARCH = dg.AssetKey(["search"])
NEIGHBOURS = dg.AssetKey(["neighbours"])
ELSEWHERE: dict[str, int | float | str | bool] = {"left_out": "an index needs the lake in a local folder"}


@dg.asset(
    key=KEY,
    description="One view per table of the lake, with a comment on every view and column.\n\n"
    "File: `warehouse.duckdb` at the lake's root; it opens with any DuckDB client of the same version. "
    "`warehouse.json` beside it lists the lake's files.",
    deps=[asset_key(name) for name in all_tables() if name != MODELS_CLUSTER_MEMBERS.name],
    group_name="sql",
    kinds={"duckdb", "sql"},
    owners=OWNERS,
    check_specs=[counts_spec(KEY, "Every table of the lake has its view")],
    automation_condition=dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing()),
)
def warehouse(lake: LakeResource) -> dg.MaterializeResult:
    """Rebuild the warehouse of the lake."""
    store = lake.open()
    with timed() as clock:
        result = build_warehouse(store)
    return materialization(KEY, result, store, clock.seconds)


@dg.asset(
    key=SEARCH,
    description="Full-text index over captions and mentions; `search('lung ultrasound')` in SQL asks it.\n\n"
    "Files: `search/captions/`. Only partitions of out/samples that changed are indexed again.",
    deps=[dg.AssetKey(["out", "samples"])],
    group_name="sql",
    kinds={"tantivy"},
    owners=OWNERS,
    check_specs=[counts_spec(SEARCH, "Every sample is a document")],
)
def search(lake: LakeResource) -> dg.MaterializeResult:
    """Bring the search index up to date."""
    store = lake.open()
    with timed() as clock:
        result = update_search(store) if store.is_local else StageResult(0, 0, details=ELSEWHERE)
    return materialization(SEARCH, result, store, clock.seconds)


@dg.asset(
    key=NEIGHBOURS,
    description="Index of nearest neighbours over the embeddings; `neighbours('<sample_key>')` in SQL asks it.\n\n"
    "Files: `search/embeddings/<encoder>.usearch`. Only partitions of core/embeddings that changed are added again.",
    deps=[dg.AssetKey(["core", "embeddings"])],
    group_name="sql",
    kinds={"usearch"},
    owners=OWNERS,
)
def neighbours(lake: LakeResource) -> dg.MaterializeResult:
    """Bring the index of every encoder up to date."""
    store = lake.open()
    with timed() as clock:
        names = encoders(store) if store.is_local else []
        results = {encoder: update_neighbours(store, encoder) for encoder in names}
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(result.rows for result in results.values()),
            "size_bytes": sum(result.size_bytes for result in results.values()),
            "encoders": ", ".join(results),
            "seconds": round(clock.seconds, 3),
        }
    )
