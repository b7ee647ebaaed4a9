"""The forms in which a query's rows are written: each takes a reader of Arrow batches and gives the number of rows."""

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pmc_assets import markdown
from pmc_assets.warehouse.guard import QueryError

SHOWN_ROWS = 200
SHOWN_CHARACTERS = 80
FILE_COLUMNS_WIDTH = 10_000


def write_table(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """Write the first rows as a table for a terminal, and how many there are in all."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    head, count = _head(reader)
    table = Table(*reader.schema.names, box=box.SIMPLE_HEAD)
    for field, column in zip(reader.schema, table.columns, strict=True):
        column.justify = "right" if _is_number(field.type) else "left"
        column.overflow = "fold"
    for row in head:
        table.add_row(*(shown(value) for value in row.values()))
    text = io.StringIO()
    width = None if out.isatty() else FILE_COLUMNS_WIDTH
    Console(file=text, width=width, no_color=True, markup=False, emoji=False, highlight=False).print(table)
    more = f", the first {len(head)} shown" if count > len(head) else ""
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    rows_said = "1 row" if count == 1 else f"{count:,} rows"
    out.write("\n".join([*(line for line in lines if line), rows_said + more, ""]).encode())
    return count


def write_markdown(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """Write all rows as a Markdown table."""
    marks = [markdown.RIGHT if _is_number(field.type) else markdown.LEFT for field in reader.schema]
    for line in markdown.head([shown(name) for name in reader.schema.names], marks):
        _line(out, line)
    count = 0
    for row in rows(reader):
        _line(out, markdown.line(map(shown, row.values())))
        count += 1
    return count


def plain(value: object) -> object:
    """Give a value as CSV has it: bytes in hexadecimal, lists, structs and truth values as JSON."""
    if isinstance(value, bytes):
        return value.hex()
    return _json(value) if isinstance(value, list | dict | tuple | bool) else value


def write_csv(
    reader: pa.RecordBatchReader, out: BinaryIO, delimiter: str = ",", value: Callable[[object], object] = plain
) -> int:
    """Write all rows as CSV with a header; lists and structs as JSON, null as nothing."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(reader.schema.names)
    count = 0
    for batch in reader:
        writer.writerows(zip(*(map(value, column.to_pylist()) for column in _short_floats(batch)), strict=True))
        count += batch.num_rows
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


def check_format(format: str) -> None:
    """Raises: QueryError for a form that there is not."""
    if format not in FORMATS:
        raise QueryError(f"no format {format!r}: one of {', '.join(FORMATS)}")


def write(format: str, reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """Write rows in a form of FORMATS; columns of the same name are told apart. Raises: QueryError."""
    check_format(format)
    return FORMATS[format](distinct_names(reader), out)


def distinct_names(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Name columns of the same name apart, as a join's may be: `a`, `a_1`; no form can hold both under one name."""
    names: list[str] = []
    seen: Counter[str] = Counter()
    for name in reader.schema.names:
        given = name
        while given in names or (given != name and given in reader.schema.names):
            seen[name] += 1
            given = f"{name}_{seen[name]}"
        names.append(given)
    if names == reader.schema.names:
        return reader
    schema = pa.schema([field.with_name(name) for field, name in zip(reader.schema, names, strict=True)])
    return pa.RecordBatchReader.from_batches(schema, (batch.rename_columns(names) for batch in reader))


def rows(reader: pa.RecordBatchReader) -> Iterator[dict[str, Any]]:
    for batch in reader:
        yield from _short_floats(batch).to_pylist()


def _short_floats(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give single-precision numbers as the shortest text that means them: 0.1, not 0.10000000149011612."""
    for place, field in enumerate(batch.schema):
        if field.type in (pa.float32(), pa.float16()):
            short = batch.column(place).cast(pa.float32()).cast(pa.string()).cast(pa.float64())
            batch = batch.set_column(place, field.name, short)
    return batch


def shown(value: object) -> str:
    """Give a value for a reader: null as nothing, long lines cut."""
    text = "" if value is None else str(plain(value))
    return "\n".join(_cut(line) for line in text.splitlines())


def _cut(line: str) -> str:
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def _head(reader: pa.RecordBatchReader) -> tuple[list[dict[str, Any]], int]:
    head: list[dict[str, Any]] = []
    count = 0
    for batch in reader:
        head += _short_floats(batch.slice(0, SHOWN_ROWS - len(head))).to_pylist()
        count += batch.num_rows
    return head, count


def _is_number(type_: pa.DataType) -> bool:
    return pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_json_default)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, default=_json_default)


def _json_default(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def _finite(value: Any) -> Any:
    """Give a value with null for what JSON has no word for: not a number, infinity."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _line(out: BinaryIO, text: str) -> None:
    out.write(text.encode() + b"\n")
