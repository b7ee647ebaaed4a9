import os
import shutil
import threading
from multiprocessing import get_context
from pathlib import Path

import dagster as dg
import pytest
from forking import start
from made_lake import REPOSITORY

from pmc_assets.resources.sqlite_history import EventLog

RUNS_AT_ONCE, RUNS = 2, 9


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(REPOSITORY / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(number: int) -> str:
    @dg.asset
    def numbered() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"number": number})

    with dg.DagsterInstance.get() as instance:
        return dg.materialize([numbered], instance=instance).run_id


def run_in(home: Path, numbers: range) -> None:
    os.environ["DAGSTER_HOME"] = str(home)
    os.chdir(home)
    for number in numbers:
        run(number)


def test_the_history_of_dagster_yaml_is_read_again_by_the_next_process(home: Path) -> None:
    run_id = run(7)
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, EventLog)
        assert instance.get_run_by_id(run_id).is_success
        materialization = instance.get_latest_materialization_event(dg.AssetKey("numbered")).asset_materialization
        assert materialization.metadata["number"].value == 7
        steps = {record.event_log_entry.step_key for record in instance.get_records_for_run(run_id).records}
        assert "numbered" in steps
        copy = dg.DagsterInstance.from_ref(instance.get_ref())
        assert copy.get_run_by_id(run_id).is_success


def test_processes_write_one_history_at_once_and_lose_nothing(home: Path) -> None:
    run(0)
    processes = [start(run_in, home, range(first, RUNS, RUNS_AT_ONCE)) for first in range(1, RUNS_AT_ONCE + 1)]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    with dg.DagsterInstance.get() as instance:
        fetched = instance.fetch_materializations(dg.AssetKey("numbered"), limit=100).records
        run_ids = {record.run_id for record in fetched}
        assert len(run_ids) == RUNS and all(instance.get_run_by_id(run_id).is_success for run_id in run_ids)
        numbers = sorted(record.asset_materialization.metadata["number"].value for record in fetched)
    assert numbers == list(range(RUNS))
    assert len(list((home / ".dagster" / "storage" / "events").glob("*.db"))) == 1


def test_who_watches_a_run_is_told_of_its_events(home: Path) -> None:
    run(0)
    with dg.DagsterInstance.get() as instance:
        seen = threading.Event()
        watched = instance.create_run_for_job(dg.GraphDefinition(name="watched").to_job())
        instance.watch_event_logs(watched.run_id, None, lambda entry, cursor: seen.set())
        instance.report_engine_event("told", watched)
        assert seen.wait(timeout=20)


def test_a_fork_uses_connections_of_its_own(home: Path) -> None:
    run_id = run(0)
    with dg.DagsterInstance.get() as instance:
        assert instance.get_run_by_id(run_id).is_success
        engine = instance.run_storage._engine
        context = get_context("fork")
        answers = context.SimpleQueue()
        child = context.Process(target=lambda: answers.put(read_again(instance, run_id, engine)))
        child.start()
        assert answers.get() == (True, True)
        child.join()
        assert instance.run_storage._engine is engine
        instance.report_engine_event("still written", instance.get_run_by_id(run_id))


def read_again(instance: dg.DagsterInstance, run_id: str, engine: object) -> tuple[bool, bool]:
    return instance.get_run_by_id(run_id).is_success, instance.run_storage._engine is not engine
