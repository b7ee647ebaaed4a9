"""The warehouse file: views over every table, rebuilt when a table or partition appears."""

import dagster as dg

from pmc_assets.assets.report import COUNTS_CHECK, OWNERS, materialization, timed
from pmc_assets.resources.lake import LakeResource
from pmc_assets.warehouse.build import build_warehouse

KEY = dg.AssetKey(["warehouse"])
SOURCES = (
    "raw/inventory",
    "raw/article_versions",
    "raw/filelists",
    "raw/packages",
    "core/articles",
    "core/figures",
    "core/images",
    "core/mentions",
    "core/subcaptions",
    "core/pubmed_records",
    "core/embeddings",
    "core/annotations",
    "core/rejects",
    "out/samples",
    "out/shards",
)


@dg.asset(
    key=KEY,
    description="One view per table of the lake, with a comment on every view and column.\n\n"
    "File: `warehouse.duckdb` at the lake's root; it opens with any DuckDB client of the same version. "
    "`warehouse.json` beside it lists the lake's files.",
    deps=[dg.AssetKey(source.split("/")) for source in SOURCES],
    group_name="sql",
    kinds={"duckdb", "sql"},
    owners=OWNERS,
    check_specs=[
        dg.AssetCheckSpec(COUNTS_CHECK, asset=KEY, blocking=True, description="Every table of the lake has its view")
    ],
    automation_condition=dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing()),
)
def warehouse(lake: LakeResource) -> dg.MaterializeResult:
    """Rebuild the warehouse of the lake."""
    store = lake.open()
    with timed() as clock:
        result = build_warehouse(store)
    return materialization(KEY, result, store, clock.seconds)
