"""`pmc-assets run` in a process forked from one that has imported everything; it may kill itself at a chosen moment.

The imports of a command take longer than the work on a small sample. What is forked does the same in one process.
"""

import gc
import multiprocessing
import os
import pkgutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pmc_assets.assets

CHANGES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"}
COUNT_NAME = "operations.txt"
IMPORTED_ONCE = [
    "pmc_assets.cli.app",
    "pmc_assets.cli.run",
    "pmc_assets.cli.worker",
    "pmc_assets.cli.status",
    "pmc_assets.resources.sqlite_history",
    *(f"pmc_assets.assets.{module.name}" for module in pkgutil.iter_modules(pmc_assets.assets.__path__)),
    *("matplotlib.figure", "pandas", "pyarrow.dataset"),
]
"""All but the definitions, which read the variables of the environment; and what each run imports on its way."""
os.register_at_fork(before=gc.freeze)  # what the collector does not walk, a fork need not copy


@dataclass(frozen=True, slots=True)
class Death:
    """When a run kills itself: at so many operations on the files of its lake, or a moment after."""

    operation: int
    delay_s: float = 0.0


class _Here(Executor):
    """Runs what is submitted at once, in this process."""

    def submit(self, call: Any, /, *arguments: Any, **keywords: Any) -> Future:  # type: ignore[override]
        future: Future = Future()
        future.set_result(call(*arguments, **keywords))
        return future


def start(
    folder: Path, arguments: Sequence[str], environment: Mapping[str, str], death: Death | None = None
) -> ForkServerProcess:
    """Start a run on the lake of an environment; its output goes to the folder's log."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *IMPORTED_ONCE])
    process = context.Process(target=_run, args=(folder, list(arguments), dict(environment), death))
    process.start()
    return process


def operations(folder: Path) -> int:
    """Say how many operations on the files of its lake the last run that ended in a folder made."""
    return int((folder / COUNT_NAME).read_text())


def _run(folder: Path, arguments: list[str], environment: dict[str, str], death: Death | None) -> None:
    os.setsid()
    log = folder / "run.log"
    with _counted(folder, environment["PMC_LAKE"], death):
        call_command(["run", "--jobs", "1", *arguments], environment | {"PMC_WORKERS": "1"}, log, log)


def call_command(arguments: list[str], environment: dict[str, str], out: Path, err: Path) -> None:
    """Be `pmc-assets` with just these variables, in the folder DAGSTER_HOME; its runs need no process of their own.

    What it says is put at the end of two files. Raises: SystemExit, as the command ends.
    """
    for stream, path in ((sys.stdout, out), (sys.stderr, err)):
        stream.flush()
        with path.open("ab") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(environment["DAGSTER_HOME"])
    from pmc_assets.cli import run
    from pmc_assets.cli.app import app

    run._pool = lambda jobs: _Here()  # type: ignore[assignment,return-value]
    app(arguments)


@contextmanager
def _counted(folder: Path, lake: str, death: Death | None) -> Iterator[None]:
    """Count the operations on the files of a lake; die at the one that is asked for."""
    count = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event not in CHANGES or not str(arguments[0]).startswith(lake):
            return
        count += 1
        if death and count == death.operation:
            _die(death.delay_s)

    sys.addaudithook(watch)
    try:
        yield
    finally:
        (folder / COUNT_NAME).write_text(str(count))


def _die(delay_s: float) -> None:
    if delay_s:
        threading.Timer(delay_s, os.kill, (os.getpid(), signal.SIGKILL)).start()
    else:
        os.kill(os.getpid(), signal.SIGKILL)
