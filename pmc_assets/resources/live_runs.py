"""Runs and the processes that execute them: whose process was killed is marked as failed and frees its pools."""

import atexit
import contextlib
import uuid
from functools import cache
from pathlib import Path

import dagster as dg
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

from pmc_assets.locks import LOCK, find_locks, hold_lock

PROCESS_TAG = "pmc/process"
_KEPT = contextlib.ExitStack()
atexit.register(_KEPT.close)


@cache
def process_tag(instance: dg.DagsterInstance) -> dict[str, str]:
    """Give the tag of the runs of this process; a lock of the same name is held for as long as the process lives."""
    name = uuid.uuid4().hex
    _KEPT.enter_context(hold_lock(_locks(instance) / f"{name}{LOCK}"))
    return {PROCESS_TAG: name}


def bury_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Fail the runs of killed processes of this machine, and free the places in pools of all that have ended.

    Shape: the ids of the runs that were failed. Without this a killed run would be shown as running for ever, and the
    next one would wait for its place in a pool.
    """
    dead = [run_id for lock in find_locks(_locks(instance)) for run_id in _fail_runs(instance, lock)]
    events = instance.event_log_storage
    for holder in {holder for pool in events.get_concurrency_keys() for holder in _holders(instance, pool)}:
        run = instance.get_run_by_id(holder)
        if run is None or run.is_finished:
            events.free_concurrency_slots_for_run(holder)
    return dead


def _fail_runs(instance: dg.DagsterInstance, lock: Path) -> list[str]:
    """Fail the runs in progress of the process that held a lock, before the lock goes. Empty: the process lives."""
    with hold_lock(lock, is_patient=False) as is_dead:
        tags = {PROCESS_TAG: lock.name.removesuffix(LOCK)}
        filters = dg.RunsFilter(tags=tags, statuses=IN_PROGRESS_RUN_STATUSES)
        runs = instance.get_runs(filters) if is_dead else []
        for run in runs:
            instance.report_run_failed(run, "its process was killed")
        return [run.run_id for run in runs]


def _holders(instance: dg.DagsterInstance, pool: str) -> set[str]:
    """List the runs that hold a place in a pool, or wait for one."""
    info = instance.event_log_storage.get_concurrency_info(pool)
    return info.active_run_ids | {step.run_id for step in info.pending_steps}


def _locks(instance: dg.DagsterInstance) -> Path:
    return Path(instance.storage_directory()) / "processes"
