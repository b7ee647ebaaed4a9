"""Derived stages: rows, reruns, absent cells, and the checks of the header."""

from dataclasses import replace

import pytest

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.warehouse.contract import find_contract
from pmc_assets.warehouse.derive import derived_table
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
    authors = [{"surname": "Lee", "given_names": "Ann"}, {"surname": "A Group"}]
    article = key | {
        "authors": authors,
        "is_retracted": False,
        "is_recovered": False,
        "license_code": "CC BY",
        "year": 2020,
    }
    made.write_table(schema.CORE_FIGURES, schema.CORE_FIGURES.from_rows(figures), CELL)
    made.write_table(schema.CORE_IMAGES, schema.CORE_IMAGES.from_rows([image(i) for i in range(3)]), CELL)
    made.write_table(schema.CORE_ARTICLES, schema.CORE_ARTICLES.from_rows([article]), CELL)
    return made


ATTRIBUTIONS = find_contract("out.attributions")


def test_every_article_with_images_is_attributed(lake):
    result = derive_partition(lake, ATTRIBUTIONS, CELL)
    rows = lake.read_table(derived_table(ATTRIBUTIONS), CELL).to_pylist()
    assert (result.listed, result.stored, result.is_accounted_for) == (1, 1, True)
    assert rows[0]["authors"] == "Ann Lee; A Group" and rows[0]["image_count"] == 3
    assert set(count_failures(lake, ATTRIBUTIONS, CELL).values()) == {0}


def test_rerun_gives_the_same_digest(lake):
    first, second = (derive_partition(lake, ATTRIBUTIONS, CELL) for _ in range(2))
    assert first.digest == second.digest and first.size_bytes > 0


def test_absent_cell_is_empty_and_keeps_its_checks(lake):
    other = Partition.of(license_group="other", batch="PMC00000xxxx")
    assert derive_partition(lake, ATTRIBUTIONS, other).rows == 0
    assert count_failures(lake, ATTRIBUTIONS, other) == dict.fromkeys(ATTRIBUTIONS.checks, 0)


def test_rows_that_break_a_check_are_counted(lake):
    derive_partition(lake, ATTRIBUTIONS, CELL)
    stricter = replace(ATTRIBUTIONS, checks=("image_count > 3", "year = 2020"))
    assert count_failures(lake, stricter, CELL) == {"image_count > 3": 1, "year = 2020": 0}
