"""The scenarios of the drill: each does harm to a lake while it is made, and ends with a run to the end."""

import os
import random
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from assets_tests.faulty_server import FaultyServer, serve
from benchmarks.operations.compare_lakes import differences, files_of, half_written
from benchmarks.operations.control_room import ControlRoom
from benchmarks.operations.forked_run import Death
from benchmarks.operations.object_storage import failing_s3
from benchmarks.operations.stage import NO_EFETCH, Stage, cells_of, ended, kill_one_child, variables, wait_for

KILLS_PER_LAKE = 5
LONGEST_DELAY_S = 0.1
SHARE_OF_A_RERUN = 0.9  # a rerun has less to do than the first run
PROCESS_KILLS = 6
LONGEST_SPELL_S = 8.0
PATIENT = (("poll_interval_seconds: 30", "poll_interval_seconds: 3"), ("max_retries: 1", "max_retries: 20"))
DISK_SHARES = (0.05, 0.2, 0.4, 0.6, 0.8, 0.95)
WHOLE_DISK = 100.0
PAGE_BYTES = 4096
FAULTS_BEFORE_UP = 60
BAD_SOURCES: tuple[dict[str, object], ...] = (
    {"fault_share": 1.0, "faults": ("500",)},
    {"fault_share": 0.5, "faults": ("reset", "truncated", "503")},
    {"fault_share": 0.3, "faults": ("wrong_bytes",)},
    {"fault_share": 0.0, "latency_s": 0.5},
)
BROKEN_SOURCE: dict[str, object] = {"fault_share": 0.3, "faults": ("reset", "truncated", "503", "wrong_bytes")}
CLOCK_JUMPS = ("+400d", "-400d", "+3650d", "+0d")
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
FAIL_SHARE = 0.05


@dataclass
class Drill:
    """What all scenarios share: the sample, the lake to equal and what it took, how often to kill, and chance."""

    bucket: Path
    undisturbed: Path
    select: str
    kills: int
    operations: int
    runs: int
    chance: random.Random


@dataclass
class Faults:
    """How much harm was done, and what was wrong at once."""

    done: int = 0
    of: str = "faults"
    wrong: list[str] = field(default_factory=list)
    skipped: str = ""

    def __str__(self) -> str:
        return f"skipped: {self.skipped}" if self.skipped else f"{self.done} {self.of}"


def _finish(stage: Stage, faults: Faults) -> Faults:
    if (code := stage.run()) != 0:
        faults.wrong.append(f"the rerun ended with {code}: {stage.log()[-400:]}")
    return faults


def kills(drill: Drill, stage: Stage) -> Faults:
    """SIGKILL a run at an operation on the lake's files that chance chooses, or a moment later; five times a lake."""
    faults, states = Faults(), set()
    for number in range(drill.kills):
        if number and number % KILLS_PER_LAKE == 0:
            _finish(stage, faults)
            faults.wrong += differences(drill.undisturbed, stage.lake)
            stage.empty()
        states.add(_kill(drill, stage, faults))
    faults.of = f"kills, the lake in {len(states)} states"
    return _finish(stage, faults)


def _kill(drill: Drill, stage: Stage, faults: Faults) -> frozenset[str]:
    """Let one run kill itself; gives the names of the files that it left."""
    operation = drill.chance.randint(1, int(drill.operations * SHARE_OF_A_RERUN))
    delay_s = drill.chance.choice((0.0, drill.chance.uniform(0.0, LONGEST_DELAY_S)))
    faults.done += stage.run(Death(operation, delay_s)) == -signal.SIGKILL
    faults.wrong += half_written(stage.lake)
    return frozenset(files_of(stage.lake))


def kills_beside_a_bad_source(drill: Drill, stage: Stage) -> Faults:
    """Kill runs whose source breaks off and sends other bytes; then run to the end from a whole one."""
    faults = Faults()
    with serve(drill.bucket, seed=drill.chance.randrange(2**31), **BROKEN_SOURCE) as server:
        stage.source_url = server.url
        states = {_kill(drill, stage, faults) for _ in range(min(KILLS_PER_LAKE, drill.kills))}
        faults.of = f"kills and {server.faults.total()} bad answers, the lake in {len(states)} states"
        server.behaviour.fault_share = 0.0
        return _finish(stage, faults)


def worker_kills(drill: Drill, stage: Stage) -> Faults:
    """SIGKILL just one process of the command, one that materialises; the command has to end and say so."""
    faults = Faults(of="kills")
    for _ in range(min(PROCESS_KILLS, drill.kills)):
        process, after = stage.start("--jobs", "2"), _runs_later(drill, stage)
        wait_for(lambda: stage.runs_started() >= after or process.poll() is not None)  # noqa: B023
        time.sleep(drill.chance.uniform(0.0, LONGEST_DELAY_S))
        was_killed = kill_one_child(process)
        faults.done += was_killed
        if process.wait() == 0 and was_killed:
            faults.wrong.append("the command lost a process and ended with 0")
        faults.wrong += half_written(stage.lake)
    return _finish(stage, faults)


def control_room_kills(drill: Drill, stage: Stage) -> Faults:
    """SIGKILL `dagster dev`, its daemon and its runs during backfills; started again, the backfill goes on."""
    instance_file = stage.home / "dagster.yaml"
    for found, replacement in PATIENT:
        instance_file.write_text(instance_file.read_text().replace(found, replacement))
    assets = _assets_of_cells(drill.select)
    _run_first(stage, assets)
    faults, room = Faults(), ControlRoom(stage.home, stage.environment)
    room.start()
    try:
        backfill = room.launch_backfill(assets, cells_of(stage.lake))
        for _ in range(min(PROCESS_KILLS, drill.kills)):
            time.sleep(drill.chance.uniform(0.0, LONGEST_SPELL_S))
            if not room.is_going_on(backfill):
                backfill = room.launch_backfill(assets, cells_of(stage.lake))
                continue
            room.kill()
            faults.done += 1
            faults.wrong += half_written(stage.lake)
            room.start()
        status = room.wait_for_backfill(backfill, 600.0)
    finally:
        room.stop()
    faults.of = f"kills, the backfill {status}"
    return _finish(stage, faults)


def _run_first(stage: Stage, assets: list[list[str]]) -> None:
    """Make what the cells need: lists, and the model where annotations are among the assets."""
    whole = stage.select
    firsts = ['+key:"raw/filelists"'] + ['+key:"models/cluster_model"'] * (["core", "annotations"] in assets)
    for stage.select in firsts:
        stage.run()
    stage.select = whole


def _runs_later(drill: Drill, stage: Stage) -> int:
    return stage.runs_started() + drill.chance.randint(1, drill.runs)


def _assets_of_cells(select: str) -> list[list[str]]:
    """List the selected assets that a cell makes."""
    from pmc_assets.definitions import defs

    graph, cells = defs.resolve_asset_graph(), defs.resolve_job_def("one_partition").asset_layer.executable_asset_keys
    selected = dg.AssetSelection.from_string(select).required_multi_asset_neighbors().resolve(graph)
    return [list(key.path) for key in sorted(selected & set(cells))]


def full_disk(drill: Drill, stage: Stage) -> Faults:
    """Make the lake on a disk that is too small, a little larger each time."""
    faults = Faults(of="runs on a full disk")
    if os.getuid() != 0:
        return Faults(skipped="a small tmpfs needs root")
    stage.lake.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", stage.lake], check=False).returncode != 0:
        return Faults(skipped="no tmpfs can be mounted here")
    sizes = [path.stat().st_size for path in drill.undisturbed.rglob("*") if path.is_file()]
    pages = sum(-(-size // PAGE_BYTES) for size in sizes)
    try:
        for share in DISK_SHARES:
            _resize(stage.lake, share * pages)
            faults.done += stage.run() != 0
            faults.wrong += half_written(stage.lake)
        _resize(stage.lake, WHOLE_DISK * pages)
        _finish(stage, faults)
        shutil.copytree(stage.lake, stage.folder / "copy")
    finally:
        subprocess.run(["umount", stage.lake], check=True)
    stage.lake.rmdir()
    (stage.folder / "copy").rename(stage.lake)
    return faults


def _resize(lake: Path, pages: float) -> None:
    subprocess.run(["mount", "-o", f"remount,size={int(pages) * PAGE_BYTES}", lake], check=True)


def bad_source(drill: Drill, stage: Stage) -> Faults:
    """Fetch from a server that is down for a while, breaks off, sends other bytes, is slow; then from a whole one."""
    faults = Faults(of="bad answers")
    stage.variables["PMC_EFETCH_URL"] = NO_EFETCH
    with serve(drill.bucket, seed=drill.chance.randrange(2**31)) as server:
        stage.source_url = server.url
        for behaviour in BAD_SOURCES:
            _behave(server, behaviour)
            process, before = stage.fork(), server.faults.total()
            if behaviour["fault_share"] == 1.0:
                wait_for(lambda: server.faults.total() - before >= FAULTS_BEFORE_UP or not process.is_alive())  # noqa: B023
                _behave(server, {"fault_share": 0.0})
            ended(process)
            faults.wrong += half_written(stage.lake)
        _behave(server, {"latency_s": 0.0})
        faults.done = server.faults.total()
        del stage.variables["PMC_EFETCH_URL"]
        return _finish(stage, faults)


def _behave(server: FaultyServer, behaviour: dict[str, object]) -> None:
    for name, value in behaviour.items():
        setattr(server.behaviour, name, value)


def two_runs(drill: Drill, stage: Stage) -> Faults:
    """Run everything twice at once, three times; the second starts beside the first, later, in the midst of it."""
    faults = Faults(of="pairs of runs")
    for share in (0.0, 0.2, 0.5):
        first, after = stage.fork(), stage.runs_started() + share * drill.runs
        wait_for(lambda: stage.runs_started() >= after or not first.is_alive())  # noqa: B023
        second = stage.fork()
        codes = ended(first), ended(second)
        faults.done += 1
        told = f": {stage.log()[-1000:]}"
        faults.wrong += [f"a run beside another ended with {code}{told}" for code in codes if code != 0]
        faults.wrong += half_written(stage.lake)
    return _finish(stage, faults)


def clock_jumps(drill: Drill, stage: Stage) -> Faults:
    """Let the clock of day jump between years at each run of a command; time that only grows goes on."""
    if not FAKETIME.exists():
        return Faults(skipped="libfaketime is absent: apt-get install faketime")
    faults, clock, jumps = Faults(of="jumps"), stage.folder / "clock", iter(CLOCK_JUMPS * drill.runs)
    clock.write_text(next(jumps))
    process = stage.start(
        variables={
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
    )
    while process.poll() is None:
        after = stage.runs_started() + 1
        wait_for(lambda: stage.runs_started() >= after or process.poll() is not None)  # noqa: B023
        clock.write_text(next(jumps))
        faults.done += 1
    if process.returncode != 0:
        faults.wrong.append(f"a run whose clock jumps ended with {process.returncode}: {stage.log()[-400:]}")
    return _finish(stage, faults)


def failing_object_storage(drill: Drill, stage: Stage) -> Faults:
    """Make the lake on S3 where every 20th call fails; then fetch it to compare."""
    faults = Faults(of="failed calls")
    with failing_s3(FAIL_SHARE, drill.chance.randrange(2**31)) as storage:
        stage.variables = storage.environment | {"PMC_LAKE": storage.lake_url}
        _finish(stage, faults)
        faults.done = storage.failed
        storage.failing_share = 0.0
        _finish(stage, faults)
        with variables(storage.environment):
            storage.download(stage.lake)
    return faults
