"""out.parquet: the samples with their images' original bytes."""

import dagster as dg

from pmc_assets.assets.partitions import cells, partition_of
from pmc_assets.assets.report import OWNERS, asset_key, column_schema, counts_spec, materialization, timed
from pmc_assets.resources.lake import LakeResource
from pmc_assets.shards.features import parquet_schema
from pmc_assets.shards.parquet import TABLE_NAME, write_parquet

KEY = asset_key(TABLE_NAME)


@dg.asset(
    key=KEY,
    deps=[asset_key("out.samples"), asset_key("raw.packages")],
    partitions_def=cells,
    group_name="out",
    kinds={"parquet", "huggingface"},
    owners=OWNERS,
    metadata={"dagster/column_schema": column_schema(parquet_schema())},
    description=(
        "One row per sample with the image's original bytes in every format, as `datasets.load_dataset('parquet', …)` "
        "decodes it; row groups of 100 to 256 rows, sorted by PMCID.\n\n"
        "Files: `out/parquet/license_group=…/batch=…/00000.parquet`"
    ),
    check_specs=[counts_spec(KEY)],
)
def out_parquet(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Write the samples of one cell with their images."""
    store, partition = lake.open(), partition_of(context)
    with timed() as clock:
        result = write_parquet(store, partition)
    return materialization(KEY, result, store, clock.seconds, partition=partition)
