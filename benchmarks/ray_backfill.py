"""A backfill on a Ray cluster of separate processes, history in PostgreSQL; a worker is killed in mid-step.

    python -m benchmarks.ray_backfill                              about 30 cells, a head and two workers
    python -m benchmarks.ray_backfill --articles 12                fewer cells

The source holds back the images until a step waits on every CPU of the cluster: so the kill always meets a step.
The lake must equal the one that a single node makes. Times on one machine say nothing of the speed of many.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from assets_tests.faulty_server import FaultyServer, serve
from benchmarks.operations.backfills import Backfill, daemon, launch
from benchmarks.operations.compare_lakes import differences, half_written
from benchmarks.operations.control_room import REPOSITORY, make_home
from benchmarks.operations.postgres_server import postgres
from benchmarks.operations.ray_cluster import RayCluster, ray_cluster
from benchmarks.operations.stage import Stage, cells_of, variables
from pmc_assets.sample.bucket import write_sample

ARTICLES, ARTICLES_PER_BATCH = 60, 6
BATCH_IDS = "10000"
SELECT = '+key:"core/images"'
LISTS = (
    "lake.json",
    "raw/inventory/**/*",
    "raw/article_versions/**/*",
    "raw/filelists/**/*",
    "core/rejects/**/filelists.parquet",
)
ASSETS = [["raw", "packages"]] + [
    ["core", name] for name in ("articles", "figures", "images", "mentions", "subcaptions")
]
IMAGES = (".jpg", ".png", ".gif", ".tif", ".tiff")
NODES = 2
QUICKER = (
    ("poll_interval_seconds: 15", "poll_interval_seconds: 2"),
    ("max_concurrent_runs: 64", f"max_concurrent_runs: {NODES}"),
)
TIMEOUT_S = 800.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """How large the cluster is, and whether a new worker joins after one was killed."""

    head_cpus: int
    workers: int
    is_replaced: bool


SMALLEST = Cluster(head_cpus=1, workers=1, is_replaced=False)
HEAD_AND_TWO = Cluster(head_cpus=0, workers=2, is_replaced=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the backfill went; `wrong` names what differs from the lake of one node."""

    cells: int
    runs: Counter[str]
    seconds: float
    wrong: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pmc-ray-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        one_node, one_node_s = make_on_one_node(folder, arguments.articles)
        outcome = backfill_on_ray(folder / "many", folder / "bucket", one_node.lake, HEAD_AND_TWO)
    print("| cells | runs | seconds on Ray, a worker killed | seconds on one node | lake |\n|---|---|---:|---:|---|")
    runs = ", ".join(f"{count} {status.lower()}" for status, count in outcome.runs.items())
    lake = "equal" if not outcome.wrong else "; ".join(outcome.wrong[:5])
    print(f"| {outcome.cells} | {runs} | {outcome.seconds:.0f} | {one_node_s:.0f} | {lake} |")
    sys.exit(bool(outcome.wrong))


def make_on_one_node(folder: Path, articles: int) -> tuple[Stage, float]:
    """Write a sample and make its lake with the command; gives where, and the seconds of the latter."""
    bucket = folder / "bucket"
    write_sample(bucket.as_uri(), articles, articles_per_batch=ARTICLES_PER_BATCH)
    with serve(bucket) as source:
        stage, started = Stage(folder / "one", source.url, SELECT, {"PMC_BATCH_IDS": BATCH_IDS}), time.monotonic()
        if stage.run() != 0:
            raise RuntimeError(stage.log()[-4000:])
        return stage, time.monotonic() - started


def backfill_on_ray(folder: Path, bucket: Path, one_node: Path, size: Cluster, cells: Sequence[str] = ()) -> Outcome:
    """Make cells (none named: all) of a lake again on a cluster that loses a worker; compare.

    The lists of what there is are those of the lake of one node.
    """
    with serve(bucket, held=IMAGES) as source, postgres() as url:
        batch_ids = str(json.loads((one_node / "lake.json").read_text())["batch_ids"])
        many = Stage(folder, source.url, SELECT, {"PMC_DAGSTER_POSTGRES_URL": url, "PMC_BATCH_IDS": batch_ids})
        make_home(many.home, instance_file())
        for path in (path for pattern in LISTS for path in one_node.glob(pattern) if path.is_file()):
            (many.lake / path.relative_to(one_node)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, many.lake / path.relative_to(one_node))
        with ray_cluster(size.head_cpus, size.workers, many.environment) as cluster:
            many.variables["PMC_RAY_ADDRESS"] = cluster.dashboard_url
            started = time.monotonic()
            with variables(many.environment), dg.DagsterInstance.get() as instance:
                backfill = _launch(instance, many, cells or cells_of(many.lake))
                _run(backfill, many, source, cluster, size)
                runs = Counter(run.status.value for run in backfill.runs())
            seconds = time.monotonic() - started
    wrong = [name for name in differences(one_node, many.lake) if _is_of(backfill.cells, name)]
    return Outcome(len(backfill.cells), runs, seconds, [*wrong, *half_written(many.lake)])


def instance_file() -> str:
    """Give the text of deploy/dagster-ray.yaml with the times and limits of two small nodes."""
    text = (REPOSITORY / "deploy" / "dagster-ray.yaml").read_text()
    for found, replacement in QUICKER:
        if found not in text:
            raise ValueError(f"deploy/dagster-ray.yaml has no {found!r}")
        text = text.replace(found, replacement)
    return text


def _launch(instance: dg.DagsterInstance, stage: Stage, cells: Sequence[str]) -> Backfill:
    instance.add_dynamic_partitions("batch", sorted({cell.split("|")[0] for cell in cells_of(stage.lake)}))
    return launch(instance, ASSETS, cells)


def _run(backfill: Backfill, stage: Stage, source: FaultyServer, cluster: RayCluster, size: Cluster) -> None:
    """Run the backfill to its end, and kill a worker when a step waits for the source on every node."""

    articles = {cell: _articles(stage.lake, cell) for cell in backfill.cells}

    def is_in_mid_step() -> bool:
        waiting = {key.split("/")[0] for key in list(source.waiting)}
        mid_step = [cell for cell, names in articles.items() if names & waiting]
        return len(mid_step) == NODES and backfill.count(dg.DagsterRunStatus.STARTED) == NODES

    def failure_before_kill() -> str:
        return "a run failed" if backfill.count(dg.DagsterRunStatus.FAILURE) else cluster.failed_jobs()

    with daemon(stage.home, stage.environment):
        backfill.wait(is_in_mid_step, failure_before_kill, TIMEOUT_S)
        cluster.kill_worker(0)
        backfill.wait(lambda: bool(cluster.failed_jobs()), backfill.failed_step, TIMEOUT_S)
        source.behaviour.held = ()
        if size.is_replaced:
            cluster.add_worker()
        backfill.wait(lambda: backfill.made() == set(backfill.cells), backfill.failed_step, TIMEOUT_S)


def _articles(lake: Path, cell: str) -> set[str]:
    """Name the folders of a cell's article versions in the bucket."""
    batch, group = cell.split("|")
    path = lake / f"raw/filelists/license_group={group}/batch={batch}/filelists.parquet"
    rows = pq.read_table(path, columns=["pmcid", "version"], partitioning=None).to_pylist()
    return {f"{row['pmcid']}.{row['version']}" for row in rows}


def _is_of(cells: Sequence[str], name: str) -> bool:
    """Say whether a file of the lake belongs to one of the cells."""
    folders = [f"license_group={group}/batch={batch}/" for batch, group in (cell.split("|") for cell in cells)]
    return any(folder in name for folder in folders)


if __name__ == "__main__":
    main()
