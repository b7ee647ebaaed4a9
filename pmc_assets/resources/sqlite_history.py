"""Dagster's history in SQLite: one file of events for all runs, and engines that are kept. What is stored is Dagster's.

Dagster's own SQLite storage makes a file with all its tables for every run, writes events of assets twice, and makes an
engine, with an empty cache of statements, for every one: half of what a run of a small partition costs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import dagster as dg
from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.event_log.sqlite.consolidated_sqlite_event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.legacy_storage import CompositeStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool


class _KeptEngine:
    """Keeps the engine of one database; each use opens a connection and closes it, so that a watcher sees it."""

    _conn_string: str

    @cached_property
    def _engine(self) -> Engine:
        timeout = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
        return create_engine(self._conn_string, poolclass=NullPool, connect_args=timeout)

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._engine.connect() as connection, connection.begin():
            yield connection


class EventLog(_KeptEngine, ConsolidatedSqliteEventLogStorage):
    """Events of all runs, in one file."""

    def _connect(self):  # type: ignore[no-untyped-def]
        return self._begin()


class Runs(_KeptEngine, SqliteRunStorage):
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
