"""DuckDB over a lake's files. What is asked of it stays out."""

import duckdb

from pmc_assets.lake import Lake


def open_duckdb(lake: Lake, database: str = ":memory:", config: dict | None = None) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB that reads the lake's files wherever they are."""
    connection = duckdb.connect(database, config=config or {})
    if not lake.is_local:
        connection.register_filesystem(lake.fs)
    return connection
