"""Fixtures of the shards' tests."""

import shutil
from pathlib import Path

import pytest
from shards_lake import SmallLake, make_small_lake

from pmc_assets.lake import Lake
from pmc_assets.shards import card
from pmc_assets.shards.facts import CardFacts
from pmc_assets.shards.jsonl import write_jsonl
from pmc_assets.shards.parquet import write_parquet
from pmc_assets.shards.plots import draw_plots
from pmc_assets.shards.write import write_shards
from pmc_assets.warehouse.contract import find_contract
from pmc_assets.warehouse.stage import derive_partition


def copy_of(template: SmallLake, root: Path) -> SmallLake:
    shutil.copytree(template.lake.root, root)
    return SmallLake(Lake(str(root)), template.partitions)


@pytest.fixture(scope="session")
def drawn_plots() -> dict[str, dict[str, bytes]]:
    return {}


@pytest.fixture(autouse=True)
def draw_equal_plots_once(drawn_plots: dict[str, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes most of a publication's time; equal facts give equal plots, as a test of the card proves."""

    def draw(facts: CardFacts) -> dict[str, bytes]:
        if repr(facts) not in drawn_plots:
            drawn_plots[repr(facts)] = draw_plots(facts)
        return drawn_plots[repr(facts)]

    monkeypatch.setattr(card, "draw_plots", draw)


@pytest.fixture(scope="session")
def small_template(tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    return make_small_lake(tmp_path_factory.mktemp("small") / "lake")


@pytest.fixture(scope="session")
def full_template(small_template: SmallLake, tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    full = copy_of(small_template, tmp_path_factory.mktemp("full") / "lake")
    for partition in full.partitions:
        write_shards(full.lake, partition)
        write_parquet(full.lake, partition)
        write_jsonl(full.lake, partition)
        derive_partition(full.lake, find_contract("out.attributions"), partition)
    return full


@pytest.fixture
def small_lake(small_template: SmallLake, tmp_path: Path) -> SmallLake:
    """A lake with out.samples made, for this test alone."""
    return copy_of(small_template, tmp_path / "lake")


@pytest.fixture
def full_lake(full_template: SmallLake, tmp_path: Path) -> SmallLake:
    """The small lake with every form written, for this test alone."""
    return copy_of(full_template, tmp_path / "lake")
