"""A backfill on a Ray cluster of separate processes, history in PostgreSQL; a worker is killed in mid-step.

    python -m benchmarks.ray_backfill                              about 30 cells
    python -m benchmarks.ray_backfill --articles 12                a short form

The lake must equal the one that a single node makes. Times on one machine say nothing of the speed of many.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from benchmarks.operations.compare_lakes import differences, half_written
from benchmarks.operations.control_room import REPOSITORY, ControlRoom, make_home
from benchmarks.operations.postgres_server import postgres
from benchmarks.operations.ray_cluster import RayCluster, ray_cluster
from benchmarks.operations.stage import Stage
from pmc_assets.sample.bucket import write_sample

ARTICLES, ARTICLES_PER_BATCH = 60, 6
WORKERS = 2
MADE_BEFORE = '+key:"raw/filelists"'
SELECT = '+key:"core/images"'
ASSETS = [["raw", "packages"]] + [
    ["core", name] for name in ("articles", "figures", "images", "mentions", "subcaptions")
]
QUICKER = (
    ("poll_interval_seconds: 15", "poll_interval_seconds: 3"),
    ("max_concurrent_runs: 64", f"max_concurrent_runs: {WORKERS}"),
    ("start_timeout_seconds: 300", "start_timeout_seconds: 90"),
)
STEP_TIMEOUT_S = 240.0
BACKFILL_TIMEOUT_S = 1_500.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the backfill went; `wrong` names what differs from the lake of one node."""

    cells: int
    status: str
    runs: Counter[str]
    seconds: float
    one_node_s: float
    wrong: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pmc-ray-", ignore_cleanup_errors=True) as name:
        outcome = backfill_on_ray(Path(name), arguments.articles)
    print(
        "| cells | backfill | runs | seconds on Ray, a worker killed | seconds on one node | lake |\n"
        "|---|---|---|---:|---:|---|"
    )
    runs = ", ".join(f"{count} {status.lower()}" for status, count in outcome.runs.items())
    lake = "equal" if not outcome.wrong else "; ".join(outcome.wrong[:5])
    print(
        f"| {outcome.cells} | {outcome.status} | {runs} | {outcome.seconds:.0f} | {outcome.one_node_s:.0f} | {lake} |"
    )
    sys.exit(bool(outcome.wrong))


def backfill_on_ray(folder: Path, articles: int) -> Outcome:
    """Make the same lake on one node and on a cluster that loses a worker; compare."""
    bucket = folder / "bucket"
    write_sample(bucket.as_uri(), articles, articles_per_batch=ARTICLES_PER_BATCH)
    one_node, started = Stage(folder / "one", bucket.as_uri(), SELECT), time.monotonic()
    if one_node.run() != 0:
        raise RuntimeError(one_node.log()[-4000:])
    one_node_s = time.monotonic() - started
    with postgres() as url:
        many = Stage(folder / "many", bucket.as_uri(), MADE_BEFORE, {"PMC_DAGSTER_POSTGRES_URL": url})
        make_home(many.home, instance_file())
        many.variables["PMC_RAY_ADDRESS"] = "http://127.0.0.1:9"
        if many.run() != 0:
            raise RuntimeError(many.log()[-4000:])
        with ray_cluster(WORKERS, many.environment) as cluster:
            many.variables["PMC_RAY_ADDRESS"] = cluster.dashboard_url
            started = time.monotonic()
            cells, status, runs = _backfill(many, cluster)
            seconds = time.monotonic() - started
    wrong = [*differences(one_node.lake, many.lake), *half_written(many.lake)]
    return Outcome(cells, status, runs, seconds, one_node_s, wrong)


def instance_file() -> str:
    """Give the text of deploy/dagster-ray.yaml with the times and limits of two small workers."""
    text = (REPOSITORY / "deploy" / "dagster-ray.yaml").read_text()
    for found, replacement in QUICKER:
        if found not in text:
            raise ValueError(f"deploy/dagster-ray.yaml has no {found!r}")
        text = text.replace(found, replacement)
    return text


def _backfill(stage: Stage, cluster: RayCluster) -> tuple[int, str, Counter[str]]:
    cells = _cells(stage.lake)
    room = ControlRoom(stage.home, stage.environment)
    room.start()
    try:
        backfill = room.launch_backfill(ASSETS, cells)
        _wait_for_first_step(room, backfill)
        cluster.kill_worker(0)
        cluster.add_worker()
        status = room.wait_for_backfill(backfill, BACKFILL_TIMEOUT_S)
        return len(cells), status, Counter(run["status"] for run in room.runs(backfill))
    finally:
        room.stop()


def _cells(lake: Path) -> list[str]:
    lists = sorted(lake.glob("raw/filelists/license_group=*/batch=*"))
    return [f"{path.name.removeprefix('batch=')}|{path.parent.name.removeprefix('license_group=')}" for path in lists]


def _wait_for_first_step(room: ControlRoom, backfill: str) -> None:
    """Wait until a run of the backfill is in the middle of its work."""
    deadline = time.monotonic() + STEP_TIMEOUT_S
    while time.monotonic() < deadline:
        if any(run["status"] == dg.DagsterRunStatus.STARTED.value for run in room.runs(backfill)):
            return
        time.sleep(0.1)
    raise TimeoutError(f"no run started within {STEP_TIMEOUT_S} s:\n{room.log()[-4000:]}")


if __name__ == "__main__":
    main()
