"""Watch a query: name what DuckDB raises, stop what exceeds its time or memory. Running queries stays out."""

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from pmc_assets.warehouse.guard import QueryError, one_line

WATCH_INTERVAL_S = 0.1
GRACE_S = 0.5
REMAKE = "pmc-assets run --select 'key:\"warehouse\"'"
MEMORY_SLACK_BYTES = 512 * 2**20

Progress = Callable[[float], None]
Abandon = Callable[[QueryError], None]


class QueryTimedOut(QueryError):
    """A query was stopped at its limit of time."""


class QueryOutOfMemory(QueryError):
    """A query was stopped at its limit of memory."""


@contextlib.contextmanager
def guarded(
    connection: duckdb.DuckDBPyConnection,
    timeout_s: float | None = None,
    progress: Progress | None = None,
    abandon: Abandon | None = None,
) -> Iterator[None]:
    """Name what DuckDB raises, and interrupt what runs longer than the limit or takes more memory than it was given.

    One call of a function (`levenshtein` of long texts, a list of a billion numbers) hears no interrupt and escapes
    DuckDB's own count of memory: after a moment's grace `abandon` is called, from another thread, to end the process.
    """
    watch = _Watch(connection, timeout_s, progress, abandon)
    watch.start()
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OverflowError, OSError) as error:
        is_of_output = isinstance(error, OSError) and error.errno is not None
        if is_of_output or (watch.stopped is None and isinstance(error, duckdb.InterruptException)):
            raise
        raise watch.stopped or _named(error) from None
    finally:
        watch.finished.set()
        watch.join()


def _named(error: Exception) -> QueryError:
    """Name what a query raised; while its rows are read, DuckDB's errors come as OSError, without a number."""
    text = one_line(error)
    if text.startswith("Out of Memory Error"):
        return QueryOutOfMemory(f"stopped at the memory limit: {text.partition(' Possible solutions')[0]}")
    if isinstance(error, OverflowError):
        return QueryError(f"a value is beyond what can be shown, cast it to varchar: {text}")
    if "No files found that match the pattern" in text:
        return QueryError(f"a table's files are gone since the warehouse was made: `{REMAKE}`")
    return QueryError(text)


class _Watch(threading.Thread):
    """The thread beside one query; `stopped` says why it interrupted."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        timeout_s: float | None,
        progress: Progress | None,
        abandon: Abandon | None,
    ) -> None:
        super().__init__(name="query-watch", daemon=True)
        self.connection, self.timeout_s = connection, timeout_s
        self.progress, self.abandon = progress, abandon
        self.stopped: QueryError | None = None
        self.finished = threading.Event()
        settings = "select parse_formatted_bytes(current_setting('memory_limit')), current_setting('temp_directory')"
        limit_bytes, self.spill = connection.execute(settings).fetchall()[0]
        self.most_bytes = private_bytes() + limit_bytes + limit_bytes // 4 + MEMORY_SLACK_BYTES
        self.started_s = time.monotonic()

    def run(self) -> None:
        abandoned_s = float("inf")
        while not self.finished.wait(WATCH_INTERVAL_S):
            now_s = time.monotonic()
            if self.stopped is None:
                self.stopped = self._reason(now_s)
                abandoned_s = now_s + GRACE_S
            if self.stopped is not None:
                self.connection.interrupt()
                if self.abandon is not None and now_s > abandoned_s:
                    shutil.rmtree(self.spill, ignore_errors=True)
                    self.abandon(self.stopped)
            if self.progress is not None:
                self.progress(max(0.0, self.connection.query_progress()))

    def _reason(self, now_s: float) -> QueryError | None:
        if self.timeout_s is not None and now_s - self.started_s >= self.timeout_s:
            return QueryTimedOut(f"stopped after {self.timeout_s:g} s: narrow the query, or allow more time")
        if private_bytes() > self.most_bytes:
            return QueryOutOfMemory("stopped at the memory limit: one value of the query is larger than it allows")
        return None


def private_bytes() -> int:
    """Say how much memory this process holds that is no mapped file. Empty: 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text().split()
    except OSError:
        return 0
    return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")
