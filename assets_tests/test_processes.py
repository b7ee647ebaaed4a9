import atexit
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pmc_assets.processes import ProcessLost, process_pool

COMMAND = """
import os, time
from pmc_assets.processes import process_pool
with process_pool(1) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


def test_a_killed_command_leaves_no_process_behind() -> None:
    command = subprocess.Popen([sys.executable, "-c", COMMAND], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert command.stdout is not None
    worker = int(command.stdout.readline())
    command.kill()
    try:
        assert command.communicate(timeout=30) == (b"", None), "its output is open while a worker lives"
    except subprocess.TimeoutExpired:
        os.kill(worker, signal.SIGKILL)
        raise


def _work_on(started: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    started.with_suffix(".tmp").write_text(str(os.getpid()))
    started.with_suffix(".tmp").rename(started)
    time.sleep(600)


@pytest.mark.timeout(60)
def test_a_pool_that_loses_an_idle_process_does_not_wait_for_a_busy_one(tmp_path: Path) -> None:
    others, started = set(multiprocessing.active_children()), tmp_path / "started"
    with pytest.raises(ProcessLost, match="one of 2 processes was killed"), process_pool(2) as pool:
        work = pool.submit(_work_on, started)
        while not started.exists():
            time.sleep(0.01)
        pool.submit(os.getpid).result()
        busy = int(started.read_text())
        (idle,) = (process for process in set(multiprocessing.active_children()) - others if process.pid != busy)
        idle.kill()
        work.result()
    assert set(multiprocessing.active_children()) == others


def test_a_process_ends_after_its_exit_handlers_and_tells_no_leaks(tmp_path: Path, capfd) -> None:
    with process_pool(1) as pool:
        pool.submit(_leave_open, tmp_path / "ended").result()
    assert (tmp_path / "ended").exists()
    assert capfd.readouterr().err == ""


def _leave_open(ended: Path) -> None:
    """Keep DuckDB's module by a thread that never ends, as fetchers do."""
    import duckdb

    atexit.register(ended.touch)
    threading.Thread(target=_wait, args=(duckdb.connect(),), daemon=True).start()


def _wait(_: object) -> None:
    threading.Event().wait()
