"""The scenarios of the drill: each does harm to a lake while it is made, and ends with a run to the end."""

import os
import random
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from assets_tests.faulty_server import serve
from benchmarks.operations.compare_lakes import half_written
from benchmarks.operations.control_room import ControlRoom
from benchmarks.operations.object_storage import failing_s3
from benchmarks.operations.stage import Stage, cells_of, kill_group, kill_one_child, variables, wait_at_most

CONTROL_ROOM_KILLS = 10
FIRST_WORK_S = 2.0
DISK_STEPS_MB = (1, 2, 3, 4, 6, 8)
WHOLE_DISK_MB = 512
BAD_SOURCES: tuple[dict[str, object], ...] = (
    {"fault_share": 1.0, "faults": ("500",)},
    {"fault_share": 0.5, "faults": ("reset", "truncated", "503")},
    {"fault_share": 0.3, "faults": ("wrong_bytes",)},
    {"latency_s": 0.5},
)
CLOCK_JUMPS = ("+400d", "-400d", "+3650d")
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
FAIL_SHARE = 0.05


@dataclass
class Drill:
    """What all scenarios share: the sample, the lake to equal, how often to kill, and where chance comes from."""

    bucket: Path
    undisturbed: Path
    select: str
    kills: int
    undisturbed_s: float
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
    """SIGKILL the command with all its processes at random moments."""
    return _kill_often(drill, stage, drill.kills, worker_only=False)


def worker_kills(drill: Drill, stage: Stage) -> Faults:
    """SIGKILL just the process that materialises."""
    return _kill_often(drill, stage, max(1, drill.kills // 5), worker_only=True)


def _kill_often(drill: Drill, stage: Stage, times: int, *, worker_only: bool) -> Faults:
    faults = Faults(of="kills")
    for _ in range(times):
        process = stage.start()
        wait_at_most(process, drill.chance.uniform(FIRST_WORK_S, drill.undisturbed_s))
        faults.done += kill_one_child(process) if worker_only else 0
        if worker_only:
            wait_at_most(process, drill.undisturbed_s)
        was_running = kill_group(process)
        faults.done += was_running and not worker_only
        faults.wrong += half_written(stage.lake)
    return _finish(stage, faults)


def control_room_kills(drill: Drill, stage: Stage) -> Faults:
    """SIGKILL `dagster dev`, its daemon and its runs during a backfill; started again, the backfill goes on."""
    stage.run("--select", '+key:"raw/filelists"')
    stage.run("--select", '+key:"models/cluster_model"')
    faults, room = Faults(of="kills"), ControlRoom(stage.home, stage.environment)
    room.start()
    cells = cells_of(stage.lake)
    backfill = room.launch_backfill(_assets_of_cells(), cells)
    for _ in range(min(CONTROL_ROOM_KILLS, drill.kills)):
        time.sleep(drill.chance.uniform(1.0, FIRST_WORK_S + drill.undisturbed_s / 2))
        room.kill()
        faults.done += 1
        faults.wrong += half_written(stage.lake)
        room.start()
        if room.backfill_status(backfill).startswith("COMPLETED"):
            break
    status = room.wait_for_backfill(backfill, 10 * drill.undisturbed_s + 300)
    room.stop()
    faults.of = f"kills, the backfill {status}"
    return _finish(stage, faults)


def _assets_of_cells() -> list[list[str]]:
    from pmc_assets.definitions import defs

    job = defs.resolve_job_def("one_partition")
    return [list(key.path) for key in sorted(job.asset_layer.executable_asset_keys)]


def full_disk(drill: Drill, stage: Stage) -> Faults:
    """Make the lake on a disk that is too small, a little larger each time."""
    faults = Faults(of="runs on a full disk")
    if os.getuid() != 0:
        return Faults(skipped="a small tmpfs needs root")
    stage.lake.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", stage.lake], check=False).returncode != 0:
        return Faults(skipped="no tmpfs can be mounted here")
    try:
        for size_mb in DISK_STEPS_MB:
            _resize(stage.lake, size_mb)
            faults.done += stage.run() != 0
            faults.wrong += half_written(stage.lake)
        _resize(stage.lake, WHOLE_DISK_MB)
        _finish(stage, faults)
        shutil.copytree(stage.lake, stage.folder / "copy")
    finally:
        subprocess.run(["umount", stage.lake], check=True)
    stage.lake.rmdir()
    (stage.folder / "copy").rename(stage.lake)
    return faults


def _resize(mount: Path, size_mb: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size_mb}m", mount], check=True)


def bad_source(drill: Drill, stage: Stage) -> Faults:
    """Fetch from a server that is down, breaks off, sends other bytes, is slow; then from a whole one."""
    faults, counts = Faults(of="bad answers"), 0
    for behaviour in BAD_SOURCES:
        with serve(drill.bucket, seed=drill.chance.randrange(2**31), **behaviour) as server:
            stage.source_url = server.url
            stage.run()
            counts += server.faults.total()
            faults.wrong += half_written(stage.lake)
    stage.run()
    with serve(drill.bucket) as server:
        stage.source_url = server.url
        faults.done = counts
        return _finish(stage, faults)


def two_runs(drill: Drill, stage: Stage) -> Faults:
    """Run everything twice at once, three times."""
    faults = Faults(of="pairs of runs")
    for offset_s in (0.0, 1.0, drill.undisturbed_s / 3):
        first = stage.start("--jobs", "2")
        time.sleep(offset_s)
        second = stage.start("--jobs", "2")
        codes = first.wait(), second.wait()
        faults.done += 1
        faults.wrong += [f"a run beside another ended with {code}" for code in codes if code != 0]
        faults.wrong += half_written(stage.lake)
    return _finish(stage, faults)


def clock_jumps(drill: Drill, stage: Stage) -> Faults:
    """Run with a clock that is a year ahead, behind, and ten years ahead."""
    if not FAKETIME.exists():
        return Faults(skipped="libfaketime is absent: apt-get install faketime")
    faults = Faults(of="jumps")
    for jump in CLOCK_JUMPS:
        stage.start(variables={"LD_PRELOAD": str(FAKETIME), "FAKETIME": jump}).wait()
        faults.done += 1
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
