"""A short form of `python -m benchmarks.ray_backfill`: a Ray cluster loses a worker, the lake equals that of one node."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.operations.postgres_server import PostgresMissing, postgres_bin
from benchmarks.operations.scenarios import Drill
from benchmarks.operations.stage import cells_of
from benchmarks.ray_backfill import SMALLEST, backfill_on_ray

CELLS = 2


@pytest.fixture
def _has_postgres() -> None:
    try:
        postgres_bin()
    except PostgresMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.skipif(
    find_spec("dagster_ray") is None or find_spec("dagster_postgres") is None,
    reason="Ray is not installed: pip install 'pmc-assets[ray,postgres]'",
)
@pytest.mark.usefixtures("_has_postgres")
def test_lake_of_a_cluster_that_loses_a_worker_equals_that_of_one_node(drill: Drill, tmp_path: Path) -> None:
    cells = cells_of(drill.undisturbed, "core/images")[:CELLS]
    outcome = backfill_on_ray(tmp_path, drill.bucket, drill.undisturbed, SMALLEST, cells)
    assert outcome.wrong == []
    assert outcome.runs == {"SUCCESS": CELLS, "FAILURE": 1}
