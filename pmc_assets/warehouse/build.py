"""The warehouse: a DuckDB file of views over every table of the lake, and a list of the lake's files beside it.

Querying it stays out.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import partial

import duckdb

from pmc_assets.lake import Lake
from pmc_assets.results import StageResult
from pmc_assets.schema import Table
from pmc_assets.warehouse.catalog import FROM_FILENAME, all_tables
from pmc_assets.warehouse.compact import COMPACTED_TABLES, compact_schema, compact_table
from pmc_assets.warehouse.derive import LAYERS
from pmc_assets.warehouse.engine import open_duckdb
from pmc_assets.warehouse.listing import Snapshot, list_files
from pmc_assets.warehouse.shared_views import create_shared_views
from pmc_assets.warehouse.views import comments, identifier, meanings, parquet_view

WAREHOUSE = "warehouse.duckdb"
FILES = "warehouse.json"


def build_warehouse(lake: Lake) -> StageResult:
    """Write `warehouse.duckdb` and `warehouse.json` at the lake's root.

    Shape: one view per table in its layer's schema, with a comment on every view and column. Paths begin with the
    lake's own; where it was moved or is seen at another address, `set variable lake = '<root>'` names the new one.
    Empty: a table without files is a view without rows.
    """
    tables = all_tables()
    files = list_files(lake, tables.values())
    blocks = {name: compact_table(lake, tables[name], files[name]) for name in COMPACTED_TABLES if name in tables}
    snapshot = Snapshot(files, blocks)
    with lake.scratch() as folder:
        local = folder / WAREHOUSE
        with open_duckdb(lake, str(local)) as connection:
            create_views(connection, tables.values(), snapshot, partial(snapshot.glob, lake.duckdb_root))
            views = connection.sql("select schema_name || '.' || view_name from duckdb_views()").fetchall()
        size_bytes = local.stat().st_size
        lake.publish_file(local, WAREHOUSE)
    lake.write_bytes(FILES, snapshot.to_json())
    return StageResult(
        listed=len(tables),
        stored=len(tables.keys() & {name for (name,) in views}),
        rows=len(tables),
        size_bytes=size_bytes,
        digest=hashlib.sha256(snapshot.to_json()).hexdigest(),
        paths=[WAREHOUSE, FILES],
        details={
            "files": sum(map(len, files.values())),
            "tables_with_rows": sum(map(bool, files.values())),
            "compacted_files": sum(map(len, blocks.values())),
        },
    )


def is_current(lake: Lake) -> bool:
    """Say whether the warehouse knows the lake's present files."""
    if not (lake.exists(FILES) and lake.exists(WAREHOUSE)):
        return False
    return Snapshot.from_json(lake.read_bytes(FILES)).files == list_files(lake, all_tables().values())


def create_views(
    connection: duckdb.DuckDBPyConnection,
    tables: Iterable[Table],
    snapshot: Snapshot,
    files: Callable[[Table], str],
) -> None:
    """Create a schema per layer, a view per table with its comments, and the views over several of them.

    `files` gives a table's files in SQL.
    """
    tables = list(tables)
    for layer in LAYERS:
        connection.execute(f"create schema if not exists {identifier(layer)}")
    for table in tables:
        is_compacted = snapshot.is_compacted(table)
        columns = compact_schema(table) if is_compacted else table.arrow
        named = FROM_FILENAME.get(table.name, {})
        connection.execute(parquet_view(table.name, columns, table.partitioned_by, files(table), named))
        for statement in comments(table.name, table.row, table.key, meanings(table)):
            connection.execute(statement)
    create_shared_views(connection, [table.name for table in tables])
