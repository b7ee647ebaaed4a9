"""Parquet files beside the sample's bucket, written in row groups of bounded size."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pmc_assets.sample.sink import Sink

ROW_GROUP_ROWS = 1_000


class RowGroups:
    """Collects rows and writes them whenever a row group is full."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self.writer = writer
        self.rows: list[dict[str, Any]] = []

    def add(self, rows: list[dict[str, Any]]) -> None:
        self.rows.extend(rows)
        if len(self.rows) >= ROW_GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        self.writer.write_table(pa.Table.from_pylist(self.rows, self.writer.schema))
        self.rows.clear()


@contextlib.contextmanager
def open_row_groups(sink: Sink, suffix: str, schema: pa.Schema) -> Iterator[RowGroups]:
    """Open the table `<url><suffix>` for writing."""
    with sink.fs.open(sink.beside(suffix), "wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        groups = RowGroups(writer)
        yield groups
        groups.flush()


def append_rows(sink: Sink, suffix: str, schema: pa.Schema, rows: list[dict[str, Any]]) -> None:
    """Add rows to the table `<url><suffix>`; the whole table is read and written again."""
    with sink.fs.open(sink.beside(suffix), "rb") as file:
        found = pq.read_table(file, schema=schema)
    with sink.fs.open(sink.beside(suffix), "wb") as file:
        whole = pa.concat_tables([found, pa.Table.from_pylist(rows, schema)])
        pq.write_table(whole, file, compression="zstd", row_group_size=ROW_GROUP_ROWS)
