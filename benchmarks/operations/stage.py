"""A place to do harm: a sample, an instance and a lake below one folder, run by the command. Faults stay out."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from benchmarks.operations import forked_run
from benchmarks.operations.control_room import REPOSITORY, make_home

SECRET = "drill-key-7f1c2e"
RUN_TIMEOUT_S = 580.0
NO_EFETCH = "http://127.0.0.1:9/"
ONE_BATCH_IDS = "1000000"
POLL_S = 0.01


@dataclass
class Stage:
    """A lake of its own for one scenario; `variables` change what its runs see."""

    folder: Path
    source_url: str
    select: str
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = make_home(self.folder / "home", REPOSITORY / "dagster.yaml")
        self.lake = self.folder / "lake"

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "PMC_SOURCE": self.source_url,
            "PMC_LAKE": str(self.lake),
            "PMC_BATCH_IDS": ONE_BATCH_IDS,
            "PMC_EFETCH_URL": "",
            "NCBI_API_KEY": SECRET,
            "DAGSTER_HOME": str(self.home),
        }
        return {**os.environ, **own, **self.variables}

    def start(self, *arguments: str, variables: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start `pmc-assets run` in a process group of its own; its output goes to the folder's log."""
        with (self.folder / "run.log").open("ab") as log:
            return subprocess.Popen(
                [str(Path(sys.executable).with_name("pmc-assets")), "run", "--select", self.select, *arguments],
                env={**self.environment, **(variables or {})},
                cwd=self.home,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def fork(self, death: forked_run.Death | None = None) -> ForkServerProcess:
        """Start the same in a process forked from one that has imported everything."""
        return forked_run.start(self.folder, ["--select", self.select], self.environment, death)

    def run(self, death: forked_run.Death | None = None) -> int:
        """Run to the end, or to the death that is asked for; gives the exit code."""
        return ended(self.fork(death))

    def runs_started(self) -> int:
        """Count the runs that the instance has seen."""
        path = self.home / ".dagster/storage/runs/runs.db"
        opened = partial(sqlite3.connect, f"{path.as_uri()}?mode=ro", uri=True)
        with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(opened()) as connection:
            return connection.execute("select count(*) from runs").fetchone()[0]
        return 0

    def empty(self) -> None:
        """Forget the lake and the instance."""
        shutil.rmtree(self.lake, ignore_errors=True)
        shutil.rmtree(self.home / ".dagster", ignore_errors=True)

    def log(self) -> str:
        return (self.folder / "run.log").read_text(errors="replace")

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def ended(process: ForkServerProcess) -> int:
    """Wait for a forked run; gives its exit code, negative for a signal. Raises: TimeoutError."""
    process.join(RUN_TIMEOUT_S)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError(f"a run has not ended after {RUN_TIMEOUT_S:.0f} s")
    return process.exitcode


def cells_of(lake: Path, table: str = "raw/filelists") -> list[str]:
    """Name the cells that have rows of a table, as Dagster writes them."""
    lists = sorted(lake.glob(f"{table}/license_group=*/batch=*"))
    return [f"{path.name.removeprefix('batch=')}|{path.parent.name.removeprefix('license_group=')}" for path in lists]


@contextlib.contextmanager
def variables(environment: Mapping[str, str]) -> Iterator[None]:
    """Give this process other environment variables while the block runs."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL a process and its descendants at once, whatever process groups they have made for themselves."""
    for pid in [process.pid, *_descendants(process.pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def kill_one_child(process: subprocess.Popen[bytes]) -> bool:
    """SIGKILL the newest child of a command: the process that materialises; says whether there was one."""
    if not (pids := _children(process.pid)):
        return False
    try:
        os.kill(pids[-1], signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _children(pid: int) -> list[int]:
    try:
        threads = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return sorted(int(child) for text in threads for child in text.split())


def _descendants(pid: int) -> list[int]:
    return [below for child in _children(pid) for below in (child, *_descendants(child))]


def wait_for(condition: Callable[[], bool], timeout_s: float = RUN_TIMEOUT_S) -> bool:
    """Wait until a condition holds; says whether it did in time."""
    deadline = time.monotonic() + timeout_s
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return holds
