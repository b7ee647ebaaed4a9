"""A backfill as Dagster's daemon runs it, without a web server: launched, watched, explained where it fails."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

POLL_S = 0.3
BACKFILL_TAG, PARTITION_TAG = "dagster/backfill", "dagster/partition"
TELLING = {
    dg.DagsterEventType.ENGINE_EVENT,
    dg.DagsterEventType.STEP_START,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}
LAST_LINES = 15


class BackfillFailed(RuntimeError):
    """A backfill cannot end well; the message holds the runs' own errors."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """One backfill of an instance: its cells, and the runs that it has started so far."""

    instance: dg.DagsterInstance
    backfill_id: str
    cells: Sequence[str]

    def runs(self) -> Sequence[dg.DagsterRun]:
        return self.instance.get_runs(dg.RunsFilter(tags={BACKFILL_TAG: self.backfill_id}))

    def count(self, status: dg.DagsterRunStatus) -> int:
        return sum(run.status == status for run in self.runs())

    def made(self) -> set[str]:
        """Name the cells that a run has made."""
        return {run.tags[PARTITION_TAG] for run in self.runs() if run.status == dg.DagsterRunStatus.SUCCESS}

    def failed_step(self) -> str:
        """Tell of a step that failed by itself, not with its node. Empty: "" where there is none."""
        failed = dg.DagsterEventType.STEP_FAILURE
        return "a step failed" if any(self.instance.all_logs(r.run_id, of_type=failed) for r in self.runs()) else ""

    def wait(self, until: Callable[[], bool], must_go_on: Callable[[], str], timeout_s: float) -> None:
        """Wait for a condition. Raises: BackfillFailed when `must_go_on` says what is wrong, or after the time."""
        deadline = time.monotonic() + timeout_s
        while not until():
            wrong = must_go_on() or (f"not done after {timeout_s:.0f} s" if time.monotonic() > deadline else "")
            if wrong:
                raise BackfillFailed(f"{wrong}\n{self.explain()}")
            time.sleep(POLL_S)

    def explain(self) -> str:
        """Tell of every run how it stands, and what it said last where it has not succeeded."""
        return "\n".join(self._explain(run) for run in self.runs()) or "no run was started"

    def _explain(self, run: dg.DagsterRun) -> str:
        lines = [f"{run.tags.get(PARTITION_TAG)} {run.status.value} {run.run_id}"]
        if run.status != dg.DagsterRunStatus.SUCCESS:
            for entry in self.instance.all_logs(run.run_id, of_type=TELLING)[-LAST_LINES:]:
                error = getattr(entry.get_dagster_event().event_specific_data, "error", None)
                lines.append(f"    {entry.message}" + (f"\n{error.to_string()}" if error else ""))
        return "\n".join(lines)


def launch(instance: dg.DagsterInstance, assets: Sequence[Sequence[str]], cells: Sequence[str]) -> Backfill:
    """Ask for a backfill of assets over cells, as the UI does; the daemon starts its runs."""
    from dagster._core.execution.backfill import PartitionBackfill

    from pmc_assets.definitions import defs

    backfill_id = uuid.uuid4().hex[:8]
    instance.add_backfill(
        PartitionBackfill.from_asset_partitions(
            backfill_id=backfill_id,
            asset_graph=defs.resolve_asset_graph(),
            partition_names=cells,
            asset_selection=[dg.AssetKey(path) for path in assets],
            backfill_timestamp=time.time(),
            tags={},
            dynamic_partitions_store=instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
    )
    return Backfill(instance, backfill_id, cells)


@contextlib.contextmanager
def daemon(home: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Run `dagster-daemon` on a prepared home while the block runs."""
    with (home / "dagster-daemon.log").open("ab") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-w", str(home / "workspace.yaml")],
            env={**environment, "DAGSTER_HOME": str(home)},
            cwd=home,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
