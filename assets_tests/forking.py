"""Processes that start at once: forked from one server that has imported what they need, not from the test itself."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest.mock import patch

from benchmarks.operations.forked_run import IMPORTED_ONCE, call_command


def start(target: Callable[..., object], *arguments: object) -> BaseProcess:
    """Start a process that calls `target`, a function of a module.

    The server that all are forked from finds modules by PYTHONPATH alone, so it gets the path of the test.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "stages", *IMPORTED_ONCE])
    process = context.Process(target=target, args=arguments)
    of_server = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONWARNINGS": "ignore", "COLUMNS": "200"}
    with patch.dict(os.environ, of_server):
        process.start()
    return process


def run_forked(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `pmc-assets` with just these variables and DAGSTER_HOME as its folder, all of it in one process.

    It has been spared the seconds of its imports, and so have the processes that it would start for its runs.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = start(call_command, arguments, environment, out, err)
        process.join()
        assert process.exitcode is not None
        return subprocess.CompletedProcess(arguments, process.exitcode, out.read_text(), err.read_text())
