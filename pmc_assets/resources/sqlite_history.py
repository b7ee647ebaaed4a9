"""Dagster's history in SQLite: one file of events for all runs, connections that are kept. What is stored is Dagster's.

Dagster's own SQLite storage makes a file with all its tables for every run, writes events of assets twice, and opens an
engine and a connection for every statement: more than half of what a run of a small partition costs.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.event_log.polling_event_watcher import SqlPollingEventWatcher
from dagster._core.storage.event_log.sqlite.consolidated_sqlite_event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.legacy_storage import CompositeStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from pmc_assets.processes import keep_what_is_made

keep_what_is_made()  # the UI's processes and the daemon import no more of ours than this


class _Kept:
    """Keeps the engine of one database and its connections."""

    _conn_string: str
    _engine: Engine | None = None
    _inherited: Engine | None = None
    _process = 0

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        if self._engine is None or self._process != os.getpid():
            # SQLite forbids a fork to use or close the connections of its parent.
            self._inherited, self._process = self._engine, os.getpid()
            self._engine = create_engine(self._conn_string, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
            event.listen(self._engine, "connect", _wait_for_no_disk)
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def dispose(self) -> None:
        if self._engine is not None and self._process == os.getpid():
            self._engine.dispose()
        super().dispose()  # type: ignore[misc]


def _wait_for_no_disk(connection: Any, _: object) -> None:
    """Let a commit end before it is on disk: a kill loses nothing, a power cut at most the last seconds' events."""
    connection.execute("pragma synchronous = normal")


class EventLog(_Kept, ConsolidatedSqliteEventLogStorage):
    """Events of all runs, in one file."""

    def __init__(self, base_dir: str) -> None:
        super().__init__(base_dir)
        self._poller = SqlPollingEventWatcher(self)
        self._tables: set[str] = set()

    def _connect(self):  # type: ignore[no-untyped-def]
        return self._begin()

    def has_table(self, table_name: str) -> bool:
        """Look once for each table: one that is there stays, and Dagster asks with every event."""
        if table_name not in self._tables:
            with self._begin() as connection:
                if not connection.dialect.has_table(connection, table_name):
                    return False
            self._tables.add(table_name)
        return True

    def watch(self, run_id: str, cursor: str | None, callback: Any) -> None:
        """Ask for new events while somebody watches: SQLite's files change before what they say can be read."""
        self._poller.watch_run(run_id, cursor, callback)

    def end_watch(self, run_id: str, handler: Any) -> None:
        self._poller.unwatch_run(run_id, handler)

    def dispose(self) -> None:
        self._poller.close()
        super().dispose()


class Runs(_Kept, SqliteRunStorage):
    """Runs, backfills and their tags, in one file."""

    def connect(self):  # type: ignore[no-untyped-def]
        return self._begin()


class SqliteHistory(CompositeStorage):
    """The storage that dagster.yaml names: runs, events and schedules below `base_dir`."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {"base_dir": dg.StringSource}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: dict[str, str]
    ) -> "SqliteHistory":
        runs, events, schedules = (
            str(Path(config_value["base_dir"]) / name) for name in ("runs", "events", "schedules")
        )
        return cls(Runs.from_local(runs), EventLog(events), SqliteScheduleStorage.from_local(schedules), inst_data)
