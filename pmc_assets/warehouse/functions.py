"""SQL functions that a warehouse connection has beside DuckDB's own."""

import duckdb

from pmc_assets.lake import Lake


def register_functions(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Register them on an open connection that is not locked yet."""
