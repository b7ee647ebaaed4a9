"""The warehouse: a DuckDB file of views over every table of the lake, and a list of the lake's files beside it.

Querying it stays out.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb

from pmc_assets.lake import Lake
from pmc_assets.results import StageResult
from pmc_assets.schema import Table
from pmc_assets.warehouse.catalog import FROM_FILENAME, all_tables
from pmc_assets.warehouse.compact import COMPACTED_TABLES, compact_schema, compact_table
from pmc_assets.warehouse.derive import LAYERS
from pmc_assets.warehouse.engine import open_duckdb
from pmc_assets.warehouse.listing import Snapshot, list_files
from pmc_assets.warehouse.shared_views import shared_view_statements
from pmc_assets.warehouse.views import comments, identifier, meanings, parquet_view

WAREHOUSE = "warehouse.duckdb"
FILES = "warehouse.json"
CHANGES = f"{WAREHOUSE}.wal"
"""What a client that was killed had changed: DuckDB takes it for a part of the file."""


def build_warehouse(lake: Lake) -> StageResult:
    """Write `warehouse.duckdb` and `warehouse.json` at the lake's root.

    Shape: one view per table in its layer's schema, with a comment on every view and column. Paths begin with the
    lake's own; where it was moved or is seen at another address, `set variable lake = '<root>'` names the new one.
    A local file that just these statements made is kept. Empty: a table without files is a view without rows.
    """
    tables = all_tables()
    files = list_files(lake, tables.values())
    blocks = {name: compact_table(lake, tables[name], files[name]) for name in COMPACTED_TABLES if name in tables}
    snapshot = Snapshot(files, blocks)
    digest = hashlib.sha256(snapshot.to_json()).hexdigest()
    script = view_script(tables.values(), snapshot, partial(snapshot.glob, lake.duckdb_root))
    stored, made = len(tables), _made(lake, script)
    if not made:
        with lake.scratch() as folder:
            local = folder / WAREHOUSE
            with open_duckdb(lake, str(local), {"threads": 1}) as connection:
                connection.execute(f"begin\n;\n{script}\n;\ncommit")
                views = connection.sql("select schema_name || '.' || view_name from duckdb_views()").fetchall()
            stored = len(tables.keys() & {name for (name,) in views})
            made = _digest(script, local) if stored == len(tables) else ""
            lake.delete(CHANGES)
            lake.publish_file(local, WAREHOUSE)
    lake.write_bytes(FILES, replace(snapshot, made=made).to_json())
    return StageResult(
        listed=len(tables),
        stored=stored,
        rows=len(tables),
        size_bytes=lake.size_bytes(WAREHOUSE),
        digest=digest,
        paths=[WAREHOUSE, FILES],
        details={
            "files": sum(map(len, files.values())),
            "tables_with_rows": sum(map(bool, files.values())),
            "compacted_files": sum(map(len, blocks.values())),
        },
    )


def is_current(lake: Lake) -> bool:
    """Say whether the warehouse knows the lake's present files."""
    return lake.exists(WAREHOUSE) and _known(lake).files == list_files(lake, all_tables().values())


def _made(lake: Lake, script: str) -> str:
    """Give what the list says of a local warehouse. Empty: there is none, or a script would make another.

    It is not opened: a client that writes has it locked.
    """
    with contextlib.suppress(OSError):
        made = _digest(script, Path(lake.full_path(WAREHOUSE))) if lake.is_local else ""
        if _known(lake).made == made and not lake.exists(CHANGES):
            return made
    return ""


def _digest(script: str, made: Path) -> str:
    return hashlib.sha256(f"{duckdb.__version__}\n{script}".encode() + made.read_bytes()).hexdigest()


def _known(lake: Lake) -> Snapshot:
    """Read the list of files beside the warehouse. Empty: no tables, where there is none or it is damaged."""
    try:
        return Snapshot.from_json(lake.read_bytes(FILES))
    except (OSError, ValueError):
        return Snapshot({})


def view_script(tables: Iterable[Table], snapshot: Snapshot, files: Callable[[Table], str]) -> str:
    """Give the SQL that makes a schema per layer, a view per table with its comments, and the views over several.

    `files` gives a table's files in SQL.
    """
    return "\n;\n".join(_statements(list(tables), snapshot, files))


def _statements(tables: list[Table], snapshot: Snapshot, files: Callable[[Table], str]) -> Iterator[str]:
    for layer in LAYERS:
        yield f"create schema if not exists {identifier(layer)}"
    for table in tables:
        columns = compact_schema(table) if snapshot.is_compacted(table) else table.arrow
        named = FROM_FILENAME.get(table.name, {})
        yield parquet_view(table.name, columns, table.partitioned_by, files(table), named)
        yield from comments(table.name, table.row, table.key, meanings(table))
    yield from shared_view_statements([table.name for table in tables])
