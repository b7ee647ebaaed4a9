"""Processes that share the work of one, and end with it; results in the order of the work. What it is stays out."""

import atexit
import gc
import multiprocessing
import multiprocessing.connection
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


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


def keep_what_is_made() -> None:
    """Let Python look for garbage rarely, and less as it ends: what Dagster makes stays.

    By itself it takes 6 % of a small run, and a quarter of a second before the last look of every process, which stays:
    without it DuckDB tells its leaks.
    """
    gc.set_threshold(20_000, 20, 20)
    atexit.register(gc.disable)


def ordered(pool: Executor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int) -> Iterator[Result]:
    """Map in a pool of threads or processes, results in order, never more than `ahead` items in memory."""
    pending: deque[Future[Result]] = deque()
    for item in items:
        pending.append(pool.submit(work, item))
        if len(pending) >= ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _end_with_parent() -> None:
    # The first handler registered is the last to run: DuckDB 2.0 tells its leaks in the teardown that would follow.
    atexit.register(os._exit, 0)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()


def _exit_after(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
