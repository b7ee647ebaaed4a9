"""out.shards: WebDataset tars of a cell's samples."""

import dagster as dg

from pmc_assets.assets.partitions import cells, partition_of
from pmc_assets.assets.report import OWNERS, asset_key, column_schema, counts_spec, materialization, none_check, timed
from pmc_assets.resources.lake import LakeResource
from pmc_assets.shards.check import count_wrong_offsets, foreign_licenses
from pmc_assets.shards.index import index_schema
from pmc_assets.shards.write import TABLE_NAME, THREADS, write_shards

KEY = asset_key(TABLE_NAME)
LICENSE_CHECK = "licenses_are_of_the_group"
OFFSETS_CHECK = "offsets_point_at_members"


class ShardsConfig(dg.Config):
    """`include_article_text` puts the article's full text into every JSON member; it multiplies the size."""

    include_article_text: bool = False


@dg.asset(
    key=KEY,
    deps=[asset_key("out.samples"), asset_key("core.articles"), asset_key("raw.packages")],
    partitions_def=cells,
    group_name="out",
    kinds={"webdataset", "parquet"},
    owners=OWNERS,
    metadata={"dagster/column_schema": column_schema(index_schema())},
    description=(
        "WebDataset tars of at most 10,000 samples and 1 GiB, shuffled across articles: `<key>.jpg` (JPEGs with their "
        "original bytes, other formats as JPEG quality 95), `<key>.txt` (caption), `<key>.json`. Beside each tar a "
        "Parquet of the same stem with every sample's offsets, and `sizes.json` per folder.\n\n"
        "Files: `out/shards/license_group=…/batch=…/00000.tar`, `00000.parquet`, `sizes.json`"
    ),
    check_specs=[
        counts_spec(KEY),
        dg.AssetCheckSpec(
            LICENSE_CHECK, asset=KEY, blocking=True, description="Every JSON member in the tars is of the cell's group"
        ),
        dg.AssetCheckSpec(
            OFFSETS_CHECK, asset=KEY, blocking=True, description="Every offset of the index points at its member"
        ),
    ],
)
def out_shards(context: dg.AssetExecutionContext, config: ShardsConfig, lake: LakeResource) -> dg.MaterializeResult:
    """Write the shards of one cell, then prove licences and offsets from the tars."""
    store, partition = lake.open(), partition_of(context)
    with timed() as clock:
        result = write_shards(
            store, partition, include_article_text=config.include_article_text, threads=max(THREADS, lake.workers)
        )
    foreign = foreign_licenses(store, partition)
    checks = (
        dg.AssetCheckResult(
            asset_key=KEY, check_name=LICENSE_CHECK, passed=not foreign, metadata={"foreign": str(dict(foreign))}
        ),
        none_check(KEY, OFFSETS_CHECK, wrong_samples=count_wrong_offsets(store, partition)),
    )
    return materialization(KEY, result, store, clock.seconds, partition=partition, checks=checks)
