"""Processes that share the work of one, and end with it. What they work on stays out."""

import atexit
import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager


class ProcessLost(RuntimeError):
    """A process of a pool was killed, and its work with it."""


@contextmanager
def process_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Open a pool of new processes; killed or not, the process that opens it leaves none of them behind.

    Raises: ProcessLost when one of them is killed. The others are killed too: a pool waits for ever for one that waits
    for a lock of the dead, and Dagster lets nobody end its steps politely.
    """
    others, context = set(multiprocessing.active_children()), multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        try:
            yield pool
        except BrokenProcessPool as error:
            for process in set(multiprocessing.active_children()) - others:
                process.kill()
            raise ProcessLost(
                f"one of {workers} processes was killed, perhaps for want of memory: run again, with fewer at once"
            ) from error


def _end_with_parent() -> None:
    # The first handler registered is the last to run: DuckDB 2.0 tells its leaks in the teardown that would follow.
    atexit.register(os._exit, 0)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()


def _exit_after(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
