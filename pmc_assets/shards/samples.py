"""Make out.samples, one row per image with a caption; the query itself is sql/out/samples.sql."""

import pyarrow as pa
import pyarrow.compute as pc

from pmc_assets import schema
from pmc_assets.batches import pmcid_number
from pmc_assets.lake import Lake, Partition
from pmc_assets.rejects import Reject, rejects_table
from pmc_assets.results import PREVIEW_ROWS, StageResult, count_reasons
from pmc_assets.warehouse.contract import find_contract
from pmc_assets.warehouse.derive import derive_table, derived_table

TABLE_NAME = "out.samples"
ARTICLES_AT_ONCE = 1_000
PREVIEW_COLUMNS = ["sample_key", "figure_label", "caption", "width_px", "height_px", "license_code", "split"]


def samples_table() -> schema.Table:
    """Give the contract of out.samples."""
    return derived_table(find_contract(TABLE_NAME))


def make_samples(lake: Lake, partition: Partition) -> StageResult:
    """Write one partition of out.samples; images whose figure has no caption are rejects.

    Articles are taken `ARTICLES_AT_ONCE`, so that memory does not grow with the partition.
    """
    contract, table = find_contract(TABLE_NAME), samples_table()
    images = lake.read_table(schema.CORE_IMAGES, partition, columns=["pmcid", "version", "figure_index", "image_name"])
    preview = table.empty()
    with lake.writers([table], partition) as writers:
        for pmcids in _article_ranges(images["pmcid"].unique().to_pylist()):
            rows = derive_table(lake, contract, partition, pmcids=pmcids).cast(table.arrow)
            writers[table.name].append(rows)
            preview = preview if preview.num_rows else rows.slice(0, PREVIEW_ROWS)
    rejects = _images_without_caption(lake, partition, images)
    lake.write_rejects("samples", rejects, partition)
    written = writers[table.name].written
    return StageResult(
        listed=images.num_rows,
        stored=written.rows,
        rejected=count_reasons(rejects),
        preview=preview.select(PREVIEW_COLUMNS),
    ).add_written(written)


def _article_ranges(pmcids: list[str]) -> list[range]:
    numbers = sorted(map(pmcid_number, pmcids))
    starts = numbers[::ARTICLES_AT_ONCE]
    ends = [*starts[1:], numbers[-1] + 1] if numbers else []
    return [range(start, end) for start, end in zip(starts, ends, strict=True)]


def _images_without_caption(lake: Lake, partition: Partition, images: pa.Table) -> pa.Table:
    key = ["pmcid", "version", "figure_index"]
    figures = lake.read_table(schema.CORE_FIGURES, partition, columns=[*key, "caption"])
    empty = figures.filter(pc.equal(pc.utf8_trim(figures["caption"], " "), "")).select(key)
    positions = images.append_column("position", pa.array(range(images.num_rows), pa.int64()))
    left_out = positions.join(empty, key, join_type="left semi").sort_by("position")
    return rejects_table(
        [
            Reject("samples", "caption_empty", row["pmcid"], row["version"], row["image_name"])
            for row in left_out.to_pylist()
        ]
    )
