"""Locked, read-only connections to a lake's warehouse. Running and printing queries stay out."""

import contextlib
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial

import duckdb

from pmc_assets.lake import Lake
from pmc_assets.warehouse.build import FILES, WAREHOUSE, view_script
from pmc_assets.warehouse.catalog import all_tables
from pmc_assets.warehouse.functions import register_functions
from pmc_assets.warehouse.listing import Snapshot, list_files
from pmc_assets.warehouse.ranged_files import RangedFiles
from pmc_assets.warehouse.shared_views import view_contracts
from pmc_assets.warehouse.views import literal
from pmc_assets.warehouse.watch import REMAKE

REMOTE_READS = {
    "parquet_metadata_cache": "true",
    "enable_external_file_cache": "false",
    "parquet_prefetch_column_gap": "1024",
}


class NoWarehouse(ValueError):
    """The lake has no warehouse yet."""


@dataclass(frozen=True)
class Limits:
    """What a connection may use: DuckDB size texts for memory and spilled data, threads (None: all cores)."""

    memory: str = "4GB"
    spill: str = "50GB"
    threads: int | None = None


@contextlib.contextmanager
def open_connection(
    lake: Lake, limits: Limits | None = None, tables: Collection[str] = (), *, is_listed: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse of a local or remote lake: it can read the lake's files, nothing else, and not be unlocked.

    `tables` are those that will be asked (all where empty): of a remote lake only they are opened. `is_listed` shows a
    local lake as its folders are now, with or without a warehouse.
    Raises: NoWarehouse before the warehouse was built; listed, where there is no table at all.
    """
    with tempfile.TemporaryDirectory(prefix="pmc-assets-spill-") as spill, duckdb.connect() as connection:
        if lake.is_local and is_listed:
            _view_listed(connection, lake)
        elif lake.is_local:
            _attach(connection, lake)
        else:
            _view_remote(connection, lake, tables)
        register_functions(connection, lake)
        _lock(connection, lake, limits or Limits(), spill)
        yield connection


def check_warehouse(lake: Lake) -> None:
    """Raises: NoWarehouse before the warehouse was built."""
    if not lake.exists(WAREHOUSE):
        raise _no_warehouse(lake)


def _view_listed(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    tables = all_tables().values()
    snapshot = Snapshot(list_files(lake, tables))
    if not any(snapshot.files.values()):
        raise NoWarehouse(f"{lake.url} holds no table: make it by `pmc-assets run`")
    connection.execute(view_script(tables, snapshot, partial(snapshot.paths, lake.root)))


def _attach(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    check_warehouse(lake)
    connection.execute(f"attach {literal(lake.full_path(WAREHOUSE))} as lake (read_only)")
    connection.execute("use lake")
    connection.execute(f"set variable lake = {literal(lake.root)}")


def _view_remote(connection: duckdb.DuckDBPyConnection, lake: Lake, only: Collection[str]) -> None:
    """Make the views from the list of files beside the warehouse: nothing is listed, only what is asked is read."""
    try:
        snapshot = Snapshot.from_json(lake.read_bytes(FILES))
    except FileNotFoundError:
        raise _no_warehouse(lake) from None
    except ValueError as error:
        raise NoWarehouse(f"{lake.url}/{FILES} is {error}: make it by `{REMAKE}`") from None
    connection.register_filesystem(RangedFiles(lake, snapshot))
    for name, value in REMOTE_READS.items():
        connection.execute(f"set {name} = {value}")
    needed = set(only).union(*(view.depends for view in view_contracts() if view.name in only))
    tables = [table for name, table in all_tables().items() if not only or name in needed]
    connection.execute(view_script(tables, snapshot, partial(snapshot.paths, lake.url)))


def _no_warehouse(lake: Lake) -> NoWarehouse:
    return NoWarehouse(f"{lake.url} has no {WAREHOUSE}: make it by `{REMAKE}`")


def _lock(connection: duckdb.DuckDBPyConnection, lake: Lake, limits: Limits, spill: str) -> None:
    folder = f"{lake.duckdb_root}/"
    settings = {
        "memory_limit": literal(limits.memory),
        "temp_directory": literal(spill),
        "max_temp_directory_size": literal(limits.spill),
        "python_enable_replacements": "false",
        "enable_progress_bar": "true",
        "enable_progress_bar_print": "false",
        "allowed_directories": f"[{literal(folder)}]",
        "enable_external_access": "false",
        "lock_configuration": "true",
    }
    if limits.threads:
        connection.execute(f"set threads = {limits.threads}")
    for name, value in settings.items():
        connection.execute(f"set {name} = {value}")
