"""Jobs that people start: one cell end to end, the models, and compaction. What they run lives in other modules."""

import dagster as dg

from pmc_assets import schema
from pmc_assets.assets.partitions import cell_partition, cells
from pmc_assets.assets.report import asset_key
from pmc_assets.packages.compact import compact_packages
from pmc_assets.resources.lake import LakeResource

PACKAGES = asset_key(schema.RAW_PACKAGES.name)
CELL_GROUPS = ("raw", "core", "out")
OF_ALL_CELLS = dg.AssetSelection.keys(["out", "dataset_card"])

one_partition = dg.define_asset_job(
    "one_partition",
    selection=(dg.AssetSelection.assets(PACKAGES).downstream() & dg.AssetSelection.groups(*CELL_GROUPS)) - OF_ALL_CELLS,
    partitions_def=cells,
    description="One cell end to end: packages and everything downstream of them that is made cell by cell. "
    "A new lake needs `annotate` once before.",
)

annotate = dg.define_asset_job(
    "annotate",
    selection=dg.AssetSelection.groups("models"),
    description="What is learned from all cells: clusters, proposals and sheets for experts, their labels. "
    "Annotations of a cell follow with `one_partition`, or a backfill of core/annotations.",
)


@dg.op(description="Write the live files of a cell into new parts and drop the bytes that nothing points at")
def compact_parts(context: dg.OpExecutionContext, lake: LakeResource) -> None:
    key = context.partition_key
    result = compact_packages(lake.open(), cell_partition(key))
    context.log_event(
        dg.AssetMaterialization(
            PACKAGES,
            partition=key,
            metadata={"dagster/partition_row_count": result.rows, **result.details},
            tags={"dagster/data_version": result.digest},
        )
    )


@dg.job(
    partitions_def=cells,
    description="Reclaim the room of replaced files in a cell's tars. The bytes move: run `one_partition` for it next.",
)
def compact() -> None:
    compact_parts()
