"""A short form of `python -m benchmarks.ray_backfill`: a Ray cluster loses a worker, the lake equals that of one node."""

from pathlib import Path

import pytest

from benchmarks.operations.postgres_server import PostgresMissing, postgres_bin
from benchmarks.ray_backfill import backfill_on_ray

pytest.importorskip("dagster_ray", reason="Ray is not installed: pip install 'pmc-assets[ray,postgres]'")
pytest.importorskip("dagster_postgres", reason="pip install 'pmc-assets[ray,postgres]'")
SHORT_ARTICLES = 6


@pytest.fixture
def _has_postgres() -> None:
    try:
        postgres_bin()
    except PostgresMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("_has_postgres")
def test_lake_of_a_cluster_that_loses_a_worker_equals_that_of_one_node(tmp_path: Path) -> None:
    outcome = backfill_on_ray(tmp_path, SHORT_ARTICLES)
    assert outcome.wrong == []
    assert outcome.status == "COMPLETED_SUCCESS", outcome.runs
