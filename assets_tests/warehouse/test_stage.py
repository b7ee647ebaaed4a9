"""Derived stages: samples and their rejects account for every image."""

import pyarrow as pa
import pytest

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.warehouse.contract import find_contract, parse_contract
from pmc_assets.warehouse.stage import count_failures, derive_partition

CELL = Partition.of(license_group="commercial", batch="PMC00000xxxx")


def image(figure_index: int) -> dict:
    return {
        "pmcid": "PMC7", "version": 1, "figure_index": figure_index, "graphic_index": 0, "graphic_ref": "g",
        "image_name": f"g{figure_index}.jpg", "format": "jpeg", "width_px": 100, "height_px": 90, "mode": "RGB",
        "frame_count": 1, "size_bytes": 10, "image_sha256": "00", "image_phash": 1, "part_path": "p",
        "offset_bytes": 512,
    }  # fmt: skip


@pytest.fixture
def lake(tmp_path):
    made = Lake(str(tmp_path / "lake"))
    key = {"pmcid": "PMC7", "version": 1}
    captions = ["A caption.", "", "Another."]
    figures = [key | {"figure_index": i, "kind": "figure", "caption": c} for i, c in enumerate(captions)]
    article = key | {"is_retracted": False, "is_recovered": False, "license_code": "CC BY", "year": 2020}
    made.write_table(schema.CORE_FIGURES, schema.CORE_FIGURES.from_rows(figures), CELL)
    made.write_table(schema.CORE_IMAGES, schema.CORE_IMAGES.from_rows([image(i) for i in range(3)]), CELL)
    made.write_table(schema.CORE_ARTICLES, schema.CORE_ARTICLES.from_rows([article]), CELL)
    return made


def test_images_are_samples_or_rejects(lake):
    result, failures = derive_partition(lake, find_contract("out.samples"), CELL)
    assert (result.listed, result.stored, dict(result.rejected)) == (3, 2, {"caption_empty": 1})
    assert result.is_accounted_for and set(failures.values()) == {0}
    rejects = lake.read_table(schema.CORE_REJECTS, CELL, stem="samples")
    assert rejects["name"].to_pylist() == ["g1.jpg f0001 g00"]


def test_rerun_gives_the_same_digest(lake):
    first, _ = derive_partition(lake, find_contract("out.samples"), CELL)
    second, _ = derive_partition(lake, find_contract("out.samples"), CELL)
    assert first.digest == second.digest and first.size_bytes > 0


def test_absent_cell_is_empty_and_accounted_for(lake):
    result, failures = derive_partition(
        lake, find_contract("out.samples"), Partition.of(license_group="other", batch="PMC00000xxxx")
    )
    assert (result.listed, result.rows) == (0, 0) and set(failures.values()) == {0}


def test_rows_that_break_a_check_are_counted():
    contract = parse_contract("out.t", "-- One row.\n-- column: a | a\n-- check: a > 1\n-- check: a < 9\nselect 1 as a")
    assert count_failures(pa.table({"a": [0, 1, 2, None]}), contract) == {"a > 1": 2, "a < 9": 0}
