"""Run one query on a lake: locked, with limits of time and memory, and write its rows in a chosen form."""

from typing import BinaryIO

import duckdb

from pmc_assets.lake import Lake
from pmc_assets.warehouse.connection import Limits, open_connection
from pmc_assets.warehouse.formats import check_format, write
from pmc_assets.warehouse.guard import check_query, tables_of
from pmc_assets.warehouse.watch import Abandon, Progress, guarded

BATCH_ROWS = 20_000


def run_query(
    lake_url: str,
    sql: str,
    out: BinaryIO,
    *,
    format: str = "table",
    timeout_s: float | None = None,
    memory_limit: str = "4GB",
    progress: Progress | None = None,
    abandon: Abandon | None = None,
) -> int:
    """Run one reading query on a local or remote lake and write its rows; give their number.

    `format` is table, csv, parquet, json, jsonl or md; `progress` is told the share done, 0 to 100; `abandon` ends the
    process where a query hears no interrupt.
    Raises: QueryRefused, QueryTimedOut, QueryOutOfMemory, QueryError for all else that DuckDB says; NoWarehouse.
    """
    check_format(format)
    with open_connection(Lake(lake_url), Limits(memory=memory_limit), tables_of(sql)) as connection:
        return run_on(connection, sql, out, format=format, timeout_s=timeout_s, progress=progress, abandon=abandon)


def run_on(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    out: BinaryIO,
    *,
    format: str = "table",
    timeout_s: float | None = None,
    progress: Progress | None = None,
    abandon: Abandon | None = None,
) -> int:
    """Run one reading query on an open connection, as `run_query` does."""
    checked = check_query(connection, sql)
    with guarded(connection, timeout_s, progress, abandon):
        reader = connection.sql(checked).to_arrow_reader(BATCH_ROWS)
        return write(format, reader, out)
