"""The forms in which a query's rows are written: each takes a reader of Arrow batches and gives the number of rows."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from rich import box
from rich.console import Console
from rich.table import Table

SHOWN_ROWS = 200
SHOWN_CHARACTERS = 80
FILE_COLUMNS_WIDTH = 10_000


def write_table(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """Write the first rows as a table for a terminal, and how many there are in all."""
    head, count = _head(reader)
    table = Table(*reader.schema.names, box=box.SIMPLE_HEAD)
    for field, column in zip(reader.schema, table.columns, strict=True):
        column.justify = "right" if _is_number(field.type) else "left"
        column.overflow = "fold"
    for row in head:
        table.add_row(*(shown(value) for value in row.values()))
    text = io.StringIO()
    width = None if out.isatty() else FILE_COLUMNS_WIDTH
    Console(file=text, width=width, no_color=True, markup=False, highlight=False).print(table)
    more = f", the first {len(head)} shown" if count > len(head) else ""
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    out.write("\n".join([*(line for line in lines if line), f"{count:,} rows{more}", ""]).encode())
    return count


def write_markdown(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """Write all rows as a Markdown table."""
    marks = ["---:" if _is_number(field.type) else "---" for field in reader.schema]
    _line(out, f"| {' | '.join(reader.schema.names)} |")
    _line(out, f"| {' | '.join(marks)} |")
    count = 0
    for row in rows(reader):
        cells = (shown(value).replace("|", "\\|").replace("\n", " ") for value in row.values())
        _line(out, f"| {' | '.join(cells)} |")
        count += 1
    return count


def write_csv(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """Write all rows as CSV with a header; lists and structs as JSON, null as nothing."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(reader.schema.names)
    count = 0
    for row in rows(reader):
        writer.writerow([_plain(value) for value in row.values()])
        count += 1
    text.detach()
    return count


def write_json(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """Write all rows as one JSON array of objects, an object a line."""
    count = 0
    out.write(b"[")
    for row in rows(reader):
        out.write((",\n" if count else "\n").encode() + _json(row).encode())
        count += 1
    out.write(b"\n]\n")
    return count


def write_jsonl(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """Write all rows as JSON objects, one a line."""
    count = 0
    for row in rows(reader):
        _line(out, _json(row))
        count += 1
    return count


def write_parquet(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """Write all rows as one Parquet file."""
    count = 0
    with pq.ParquetWriter(out, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


FORMATS: dict[str, Callable[[pa.RecordBatchReader, BinaryIO], int]] = {
    "table": write_table,
    "csv": write_csv,
    "parquet": write_parquet,
    "json": write_json,
    "jsonl": write_jsonl,
    "md": write_markdown,
}


def rows(reader: pa.RecordBatchReader) -> Iterator[dict[str, Any]]:
    for batch in reader:
        yield from batch.to_pylist()


def shown(value: object) -> str:
    """Give a value for a reader: null as nothing, long lines cut."""
    text = "" if value is None else _json(value) if isinstance(value, list | dict) else str(value)
    return "\n".join(_cut(line) for line in text.splitlines())


def _cut(line: str) -> str:
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def _head(reader: pa.RecordBatchReader) -> tuple[list[dict[str, Any]], int]:
    head: list[dict[str, Any]] = []
    count = 0
    for batch in reader:
        head += batch.slice(0, SHOWN_ROWS - len(head)).to_pylist()
        count += batch.num_rows
    return head, count


def _is_number(type_: pa.DataType) -> bool:
    return pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)


def _plain(value: object) -> object:
    return _json(value) if isinstance(value, list | dict) else value


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_json_default)


def _json_default(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _line(out: BinaryIO, text: str) -> None:
    out.write(text.encode() + b"\n")
