"""The core tables that one parse of the packages gives: articles, figures, images, mentions, subcaptions."""

from collections.abc import Iterator

import dagster as dg

from pmc_assets import schema
from pmc_assets.assets.partitions import cells, partition_of
from pmc_assets.assets.report import asset_key, check_specs, materialization, none_check, picture, table_spec, timed
from pmc_assets.figures.chunk import CHUNK_TABLES
from pmc_assets.figures.parse import parse_partition
from pmc_assets.figures.verify import count_wrong_images
from pmc_assets.lake import Lake, Partition
from pmc_assets.pictures import histogram_png
from pmc_assets.resources.lake import LakeResource
from pmc_assets.results import StageResult

BYTES_CHECK = "images_point_at_their_bytes"
RESOLVED_CHECK = "graphics_resolve_to_files"
MAX_UNRESOLVED_SHARE = 0.05
IMAGES = asset_key(schema.CORE_IMAGES.name)


@dg.multi_asset(
    name="core_figures",
    specs=[
        table_spec(table, deps=[asset_key(schema.RAW_PACKAGES.name), asset_key(schema.RAW_FILELISTS.name)])
        for table in CHUNK_TABLES
    ],
    partitions_def=cells,
    check_specs=[spec for table in CHUNK_TABLES for spec in check_specs(asset_key(table.name))]
    + [
        dg.AssetCheckSpec(
            BYTES_CHECK, asset=IMAGES, blocking=True, description="Every image's bytes are there and have its sha256"
        ),
        dg.AssetCheckSpec(
            RESOLVED_CHECK, asset=IMAGES, description=f"At most {MAX_UNRESOLVED_SHARE:.0%} of the graphics name no file"
        ),
    ],
)
def core_figures(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[dg.MaterializeResult]:
    """Parse the stored articles of one cell once; write five tables."""
    store, partition = lake.open(), partition_of(context)
    with timed() as clock:
        results = parse_partition(store, partition, workers=lake.workers)
    wrong = count_wrong_images(store, partition)
    image_checks = none_check(IMAGES, BYTES_CHECK, wrong_images=wrong), _resolved(results[schema.CORE_IMAGES.name])
    for table in CHUNK_TABLES:
        key = asset_key(table.name)
        is_images = key == IMAGES
        yield materialization(
            key,
            results[table.name],
            store,
            clock.seconds,
            table=table,
            partition=partition,
            checks=image_checks if is_images else (),
            metadata=_image_sizes(store, partition) if is_images else {},
        )


def _resolved(images: StageResult) -> dg.AssetCheckResult:
    unresolved = images.rejected["graphic_unresolved"]
    return dg.AssetCheckResult(
        asset_key=IMAGES,
        check_name=RESOLVED_CHECK,
        passed=unresolved <= MAX_UNRESOLVED_SHARE * images.listed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"unresolved": unresolved, "graphics": images.listed},
    )


def _image_sizes(lake: Lake, partition: Partition) -> dict[str, dg.MarkdownMetadataValue]:
    widths = lake.read_table(schema.CORE_IMAGES, partition, columns=["width_px"])["width_px"].to_pylist()
    png = histogram_png(widths, "Widths of the images", "px")
    return {"image_widths": picture(png)} if png else {}
