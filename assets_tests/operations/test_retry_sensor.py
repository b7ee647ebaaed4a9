"""A failed partition is tried again later, at most three times in all, and never while a newer run has it."""

from collections.abc import Iterator

import dagster as dg
import pytest

from pmc_assets.assets.sensors import ATTEMPT_TAG, FIRST_WAIT_S, MAX_ATTEMPTS, retry_requests

parts = dg.StaticPartitionsDefinition(["a", "b"])


class ThingConfig(dg.Config):
    is_broken: bool = True


@dg.asset(partitions_def=parts)
def thing(config: ThingConfig) -> None:
    if config.is_broken:
        raise RuntimeError("the source is down")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(instance: dg.DagsterInstance, partition: str, *, is_broken: bool, attempt: int = 1) -> float:
    result = dg.materialize(
        [thing],
        partition_key=partition,
        instance=instance,
        run_config={"ops": {"thing": {"config": {"is_broken": is_broken}}}},
        tags={ATTEMPT_TAG: str(attempt)} if attempt > 1 else {},
        raise_on_error=False,
        selection=[thing],
    )
    return instance.get_run_record_by_id(result.run_id).end_time


def due(instance: dg.DagsterInstance, now: float) -> list[dg.RunRequest]:
    return list(retry_requests(instance, now, frozenset({thing.key})))


def test_failed_partition_is_due_after_the_wait(instance: dg.DagsterInstance) -> None:
    ended = run(instance, "a", is_broken=True)
    assert due(instance, ended + FIRST_WAIT_S - 1) == []
    [request] = due(instance, ended + FIRST_WAIT_S)
    assert (request.partition_key, request.tags[ATTEMPT_TAG]) == ("a", "2")
    assert request.asset_selection == [thing.key]


def test_wait_doubles_and_ends(instance: dg.DagsterInstance) -> None:
    ended = run(instance, "a", is_broken=True, attempt=MAX_ATTEMPTS - 1)
    assert due(instance, ended + FIRST_WAIT_S) == []
    assert len(due(instance, ended + FIRST_WAIT_S * 2)) == 1
    ended = run(instance, "a", is_broken=True, attempt=MAX_ATTEMPTS)
    assert due(instance, ended + FIRST_WAIT_S * 100) == []


def test_partition_that_succeeded_since_is_left_alone(instance: dg.DagsterInstance) -> None:
    run(instance, "a", is_broken=True)
    run(instance, "b", is_broken=True)
    ended = run(instance, "a", is_broken=False)
    assert [r.partition_key for r in due(instance, ended + FIRST_WAIT_S)] == ["b"]


def test_same_failure_asks_for_the_same_run_key(instance: dg.DagsterInstance) -> None:
    ended = run(instance, "a", is_broken=True)
    keys = {r.run_key for now in (FIRST_WAIT_S, FIRST_WAIT_S * 2) for r in due(instance, ended + now)}
    assert len(keys) == 1


def test_runs_over_other_assets_are_left_alone(instance: dg.DagsterInstance) -> None:
    ended = run(instance, "a", is_broken=True)
    assert list(retry_requests(instance, ended + FIRST_WAIT_S, frozenset({dg.AssetKey("other")}))) == []


def test_sensor_asks_for_runs_of_the_job_of_one_partition() -> None:
    from pmc_assets.assets.sensors import retry_failed_partitions
    from pmc_assets.definitions import defs

    with dg.DagsterInstance.ephemeral() as instance:
        repository = defs.get_repository_def()
        context = dg.build_sensor_context(instance=instance, repository_def=repository)
        assert retry_failed_partitions.evaluate_tick(context).skip_message == "no failed partition is due"
