"""Fixtures of the shards' tests."""

from pathlib import Path

import pytest
from shards_lake import SmallLake, make_small_lake

from pmc_assets.shards.jsonl import write_jsonl
from pmc_assets.shards.parquet import write_parquet
from pmc_assets.shards.write import write_shards


@pytest.fixture
def small_lake(tmp_path: Path) -> SmallLake:
    """A lake with out.samples made."""
    return make_small_lake(tmp_path / "lake")


@pytest.fixture
def full_lake(small_lake: SmallLake) -> SmallLake:
    """The small lake with every form written."""
    for partition in small_lake.partitions:
        write_shards(small_lake.lake, partition)
        write_parquet(small_lake.lake, partition)
        write_jsonl(small_lake.lake, partition)
    return small_lake
