"""Run one query on a lake: locked, with limits of time and memory, and write its rows in a chosen form."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

import duckdb

from pmc_assets.lake import Lake
from pmc_assets.warehouse.connection import Limits, open_connection
from pmc_assets.warehouse.formats import FORMATS
from pmc_assets.warehouse.guard import QueryError, check_query, tables_of

PROGRESS_INTERVAL_S = 0.2
BATCH_ROWS = 100_000

Progress = Callable[[float], None]


class QueryTimedOut(QueryError):
    """A query was stopped at its limit of time."""


class QueryOutOfMemory(QueryError):
    """A query was stopped at its limit of memory."""


def run_query(
    lake_url: str,
    sql: str,
    out: BinaryIO,
    *,
    format: str = "table",
    timeout_s: float | None = None,
    memory_limit: str = "4GB",
    threads: int | None = None,
    progress: Progress | None = None,
) -> int:
    """Run one reading query on a local or remote lake and write its rows; give their number.

    `format` is table, csv, parquet, json, jsonl or md; `progress` is told the share done, 0 to 100.
    Raises: QueryRefused, QueryTimedOut, QueryOutOfMemory, QueryError for all else that DuckDB says; NoWarehouse.
    """
    if format not in FORMATS:
        raise QueryError(f"no format {format!r}: one of {', '.join(FORMATS)}")
    limits = Limits(memory=memory_limit, threads=threads)
    with open_connection(Lake(lake_url), limits, tables_of(sql)) as connection:
        return run_on(connection, sql, out, format=format, timeout_s=timeout_s, progress=progress)


def run_on(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    out: BinaryIO,
    *,
    format: str = "table",
    timeout_s: float | None = None,
    progress: Progress | None = None,
) -> int:
    """Run one reading query on an open connection, as `run_query` does."""
    checked = check_query(connection, sql)
    with guarded(connection, timeout_s, progress):
        reader = connection.sql(checked).to_arrow_reader(BATCH_ROWS)
        return FORMATS[format](reader, out)


@contextlib.contextmanager
def guarded(
    connection: duckdb.DuckDBPyConnection, timeout_s: float | None = None, progress: Progress | None = None
) -> Iterator[None]:
    """Name what DuckDB raises, and interrupt what runs longer than the limit."""
    expired, finished = threading.Event(), threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(connection, timeout_s, progress, expired, finished), name="query-watch", daemon=True
    )
    watcher.start()
    try:
        yield
    except duckdb.InterruptException:
        if not expired.is_set():
            raise
        raise QueryTimedOut(f"stopped after {timeout_s:g} s: narrow the query, or allow more time") from None
    except duckdb.OutOfMemoryException as error:
        raise QueryOutOfMemory(f"stopped at the memory limit: {first_lines(error)}") from None
    except duckdb.Error as error:
        raise QueryError(str(error)) from None
    finally:
        finished.set()
        watcher.join()


def first_lines(error: Exception, lines: int = 1) -> str:
    return "\n".join(str(error).splitlines()[:lines])


def _watch(
    connection: duckdb.DuckDBPyConnection,
    timeout_s: float | None,
    progress: Progress | None,
    expired: threading.Event,
    finished: threading.Event,
) -> None:
    waited_s = 0.0
    while not finished.wait(PROGRESS_INTERVAL_S):
        waited_s += PROGRESS_INTERVAL_S
        if timeout_s is not None and waited_s >= timeout_s:
            expired.set()
            connection.interrupt()
        if progress is not None:
            progress(max(0.0, connection.query_progress()))
