"""A run whose process was killed is failed and frees its place; one that lives is left alone."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from pmc_assets.locks import LOCK
from pmc_assets.resources.live_runs import PROCESS_TAG, bury_dead_runs, process_tag
from pmc_assets.resources.pools import LIMITS, set_pool_limits


@dg.job
def some_job() -> None:
    """A job without steps."""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        set_pool_limits(instance)
        yield instance


def started_run(instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.DagsterRun:
    run = instance.create_run_for_job(some_job, tags=tags, status=dg.DagsterRunStatus.STARTED)
    instance.event_log_storage.claim_concurrency_slot("entrez", run.run_id, "step")
    return run


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def holders(instance: dg.DagsterInstance) -> set[str]:
    return instance.event_log_storage.get_concurrency_info("entrez").active_run_ids


def test_run_of_a_killed_process_is_failed_and_its_place_is_free(instance: dg.DagsterInstance) -> None:
    left = Path(instance.storage_directory()) / "processes" / f"killed{LOCK}"
    left.parent.mkdir(parents=True)
    left.touch()
    run = started_run(instance, {PROCESS_TAG: "killed"})
    assert holders(instance) == {run.run_id}
    assert bury_dead_runs(instance) == [run.run_id]
    assert status(instance, run) == dg.DagsterRunStatus.FAILURE
    assert holders(instance) == set()
    assert not left.exists()


def test_run_of_a_living_process_is_left_alone(instance: dg.DagsterInstance) -> None:
    run = started_run(instance, process_tag(instance))
    assert bury_dead_runs(instance) == []
    assert status(instance, run) == dg.DagsterRunStatus.STARTED
    assert holders(instance) == {run.run_id}


def test_place_of_a_run_that_nobody_knows_is_free(instance: dg.DagsterInstance) -> None:
    instance.event_log_storage.claim_concurrency_slot("entrez", "no-such-run", "step")
    assert bury_dead_runs(instance) == []
    assert holders(instance) == set()


def test_limits_that_a_person_set_stay(instance: dg.DagsterInstance) -> None:
    instance.event_log_storage.set_concurrency_slots("source", 3)
    set_pool_limits(instance)
    limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
    assert limits == {**LIMITS, "source": 3}
