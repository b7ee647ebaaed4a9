"""How long the control room takes at full size: pages in a real browser, backfills, start-up; on SQLite and PostgreSQL.

    python -m benchmarks.ui_full_size                    1,350 batches × 3 groups, both storages
    python -m benchmarks.ui_full_size --batches 20       a quick look

A materialisation of every partition of every asset of pmc_assets.definitions is written through the instance, with no
run behind it; then `dagster dev` starts on that history. No step of the pipeline runs: runs stay queued.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.operations.browser import open_page
from benchmarks.operations.control_room import ControlRoom, make_home
from benchmarks.operations.postgres_server import postgres

if TYPE_CHECKING:
    import dagster as dg
    from playwright.sync_api import Page

FULL_SIZE_BATCHES = 1_350
PAGE_VISITS = 5
EVENTS_AT_ONCE = 1_000
LAUNCH_WATCH_S = 60.0
PAGE_TIMEOUT_MS = 60_000
PARTITIONED_ASSET = ["raw", "packages"]
OPEN_GROUPS = ",".join(f"global@global:{group}" for group in ("raw", "core", "models", "out", "sql", "subsets"))
SQLITE = "custom: {{module: pmc_assets.resources.sqlite_history, class: SqliteHistory, config: {{base_dir: {folder}}}}}"
INSTANCE = """
storage:
  {storage}
telemetry: {{enabled: false}}
nux: {{enabled: false}}
concurrency: {{runs: {{max_concurrent_runs: 0}}}}
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table."""

    what: str
    limit_s: float | None
    seconds: float
    detail: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=FULL_SIZE_BATCHES)
    parser.add_argument("--storage", nargs="+", default=["sqlite", "postgres"], choices=["sqlite", "postgres"])
    parser.add_argument("--screenshots", type=Path, default=Path(".artifacts/full-size"))
    arguments = parser.parse_args()
    arguments.screenshots.mkdir(parents=True, exist_ok=True)
    print("| storage | what | limit, s | seconds | |\n|---|---|---:|---:|---|")
    for storage in arguments.storage:
        with _storage(storage) as line, tempfile.TemporaryDirectory(prefix="pmc-full-size-") as folder:
            home = make_home(Path(folder), INSTANCE.format(storage=line))
            for measured in measure(home, arguments.batches, arguments.screenshots / storage):
                limit = "" if measured.limit_s is None else f"{measured.limit_s:g}"
                cells = (storage, measured.what, limit, f"{measured.seconds:.2f}", measured.detail)
                print(f"| {' | '.join(cells)} |", flush=True)


@contextlib.contextmanager
def _storage(name: str) -> Iterator[str]:
    if name == "sqlite":
        with tempfile.TemporaryDirectory(prefix="pmc-sqlite-") as folder:
            yield SQLITE.format(folder=folder)
    else:
        with postgres() as url:
            yield f"postgres: {{postgres_url: '{url}'}}"


def measure(home: Path, batch_count: int, screenshots: Path) -> Iterator[Measured]:
    """Write the history, then measure location, start-up, pages and a backfill."""
    environment = {"DAGSTER_HOME": str(home), "PMC_LAKE": str(home / "lake"), "PMC_SOURCE": (home / "none").as_uri()}
    os.environ.update(environment)
    yield _load_location()
    events, seconds, cells, assets = write_history(batch_count)
    yield Measured("history written", None, seconds, f"{events:,} events, {events / seconds:,.0f} per s")
    yield from _measure_room(home, environment, cells, assets, screenshots)


def _load_location() -> Measured:
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "from pmc_assets.definitions import defs"], check=True)
        seconds.append(time.perf_counter() - started)
    return Measured("import of the code location", 3, statistics.median(seconds), "median of 3 new processes")


def write_history(batch_count: int) -> tuple[int, float, list[str], list[list[str]]]:
    """Report one materialisation per partition of every asset; gives events, seconds, cells and assets over cells."""
    import dagster as dg

    from pmc_assets.assets.partitions import batches, cell_key, cells
    from pmc_assets.definitions import defs
    from pmc_assets.licenses import LICENSE_GROUPS

    batch_keys = [f"PMC{number:05d}xxxx" for number in range(batch_count)]
    cell_keys = [cell_key(batch, group) for batch in batch_keys for group in LICENSE_GROUPS]
    graph, started, events = defs.resolve_asset_graph(), time.perf_counter(), 0
    over_cells = []
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(batches.name, batch_keys)
        for key in graph.toposorted_asset_keys:
            node = graph.get(key)
            if not node.is_materializable:
                continue
            if node.partitions_def == cells:
                over_cells.append(list(key.path))
            of_asset = {cells: cell_keys, batches: batch_keys}.get(node.partitions_def, [None])
            for start in range(0, len(of_asset), EVENTS_AT_ONCE):
                piece = enumerate(of_asset[start : start + EVENTS_AT_ONCE], start)
                entries = [_entry(_materialization(key, partition, number)) for number, partition in piece]
                instance.event_log_storage.store_event_batch(entries)
            events += len(of_asset)
    return events, time.perf_counter() - started, [str(key) for key in cell_keys], over_cells


def _entry(materialization: "dg.AssetMaterialization") -> "dg.EventLogEntry":
    """Give a materialisation as the entry of an event log that belongs to no run."""
    import dagster as dg
    from dagster._core.events import StepMaterializationData
    from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID

    kind = dg.DagsterEventType.ASSET_MATERIALIZATION.value
    event = dg.DagsterEvent(kind, RUNLESS_JOB_NAME, event_specific_data=StepMaterializationData(materialization))
    return dg.EventLogEntry(
        error_info=None,
        user_message="",
        level="debug",
        run_id=RUNLESS_RUN_ID,
        timestamp=time.time(),
        job_name=RUNLESS_JOB_NAME,
        dagster_event=event,
    )


def _materialization(key: "dg.AssetKey", partition: str | None, number: int) -> "dg.AssetMaterialization":
    import dagster as dg

    metadata = {"dagster/partition_row_count": number, "rejected": number % 7, "seconds": 1.5}
    return dg.AssetMaterialization(asset_key=key, partition=partition, metadata=metadata)


def _measure_room(
    home: Path, environment: dict[str, str], cells: list[str], assets: list[list[str]], screenshots: Path
) -> Iterator[Measured]:
    room = ControlRoom(home, environment)
    yield Measured("dagster dev to a usable UI", 15, room.start())
    try:
        screenshots.mkdir(parents=True, exist_ok=True)
        with open_page() as page:
            asset, first_batch = "/assets/" + "/".join(PARTITIONED_ASSET), cells[0].split("|")[0]
            for name, path, selector in (
                ("asset graph", "/asset-groups/", "text=Materialize all"),
                ("asset graph, every group open", f"/asset-groups/?expanded={OPEN_GROUPS}", "text=pubmed_records"),
                ("partitions of one asset", f"{asset}?view=partitions", f"text={first_batch}"),
                ("overview of one asset", f"{asset}?view=overview", "text=Upstream assets"),
            ):
                yield _time_page(page, room, name, path, selector, screenshots)
        yield from _measure_backfill(room, cells, assets)
    finally:
        room.stop()


def _time_page(page: "Page", room: ControlRoom, name: str, path: str, selector: str, screenshots: Path) -> Measured:
    """Load a page several times until its content is drawn and nothing is loading."""
    seconds = []
    for _ in range(PAGE_VISITS):
        page.goto("about:blank")
        started = time.perf_counter()
        page.goto(f"{room.url}{path}", wait_until="commit")
        page.wait_for_selector(selector, timeout=PAGE_TIMEOUT_MS)
        seconds.append(time.perf_counter() - started)
    page.wait_for_timeout(1_000)
    page.screenshot(path=screenshots / f"{name.replace(' ', '-')}.png")
    detail = f"first {seconds[0]:.2f}, slowest of the next {PAGE_VISITS - 1}: {max(seconds[1:]):.2f}"
    return Measured(f"page: {name}", 3, statistics.median(seconds), detail)


def _measure_backfill(room: ControlRoom, cells: list[str], assets: list[list[str]]) -> Iterator[Measured]:
    started = time.perf_counter()
    backfill = room.launch_backfill(assets, cells)
    accepted = time.perf_counter() - started
    yield Measured(f"backfill of {len(cells):,} partitions × {len(assets)} assets accepted", 10, accepted)
    counts, gaps, last = 0, [], time.perf_counter()
    while time.perf_counter() - started < LAUNCH_WATCH_S:
        count = _run_count(room, backfill)
        if count > counts:
            gaps.append(time.perf_counter() - last)
            last, counts = time.perf_counter(), count
        time.sleep(0.5)
    yield Measured(
        "longest wait between launched runs",
        None,
        max(gaps, default=LAUNCH_WATCH_S),
        f"{counts:,} runs queued in the first {LAUNCH_WATCH_S:.0f} s, first after {[*gaps, LAUNCH_WATCH_S][0]:.1f} s",
    )


def _run_count(room: ControlRoom, backfill: str) -> int:
    query = "query($f: RunsFilter) { runsOrError(filter: $f) { ... on Runs { count } } }"
    tags = [{"key": "dagster/backfill", "value": backfill}]
    return room.ask(query, f={"tags": tags})["runsOrError"]["count"]


if __name__ == "__main__":
    main()
