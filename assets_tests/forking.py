"""Processes that start at once: forked from one server that has imported what they need, not from the test itself."""

import multiprocessing
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest.mock import patch

import pmc_assets.assets
from benchmarks.operations.forked_run import Here

IMPORTED_ONCE = [
    "pytest",
    "stages",
    "pmc_assets.cli.app",
    "pmc_assets.cli.run",
    "pmc_assets.cli.worker",
    "pmc_assets.cli.status",
] + [f"pmc_assets.assets.{module.name}" for module in pkgutil.iter_modules(pmc_assets.assets.__path__)]
"""All but the definitions, which read the variables of the environment."""


def start(target: Callable[..., object], *arguments: object) -> BaseProcess:
    """Start a process that calls `target`, a function of a module.

    The server that all are forked from finds modules by PYTHONPATH alone, so it gets the path of the test.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED_ONCE)
    process = context.Process(target=target, args=arguments)
    of_server = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONWARNINGS": "ignore", "COLUMNS": "200"}
    with patch.dict(os.environ, of_server):
        process.start()
    return process


def run_forked(home: Path, arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `pmc-assets` with just these variables and `home` as its folder, all of it in one process.

    It has been spared the seconds of its imports, and so have the processes that it would start for its runs.
    """
    process = start(_call_command, home, arguments, environment)
    process.join()
    said = ((home / f"{name}.txt").read_text() for name in ("stdout", "stderr"))
    assert process.exitcode is not None
    return subprocess.CompletedProcess(arguments, process.exitcode, *said)


def _call_command(home: Path, arguments: list[str], environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(home)
    for stream, name in ((sys.stdout, "stdout"), (sys.stderr, "stderr")):
        with Path(f"{name}.txt").open("w") as file:
            os.dup2(file.fileno(), stream.fileno())
    from pmc_assets.cli import run
    from pmc_assets.cli.app import app

    run._pool = lambda jobs: Here()
    app(arguments)
