"""The rows of a list in CSV as text, block by block, and their times. What the columns mean stays out."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

BLOCK_BYTES = 4 * 2**20
TIME = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?$"


def read_csv(
    file: IO[bytes],
    names: Sequence[str],
    columns: Sequence[str],
    unreadable_into: str,
    delimiter: str = ",",
    quote_char: str | bool = '"',
) -> Iterator[pa.Table]:
    """Read `columns` of a CSV without header whose columns are `names`; what is empty or absent is null.

    A row with more or fewer fields is one with its text in the column `unreadable_into`, and nothing else.
    Empty: no table for an empty file. Raises: pa.ArrowInvalid for text that is not UTF-8.
    """
    if not file.peek(1):  # type: ignore[attr-defined]
        return
    unreadable: list[str] = []

    def keep(row: pa.csv.InvalidRow) -> str:
        unreadable.append(row.text)
        return "skip"

    reader = pa.csv.open_csv(
        file,
        pa.csv.ReadOptions(column_names=list(names), block_size=BLOCK_BYTES, use_threads=False),
        pa.csv.ParseOptions(delimiter=delimiter, quote_char=quote_char, invalid_row_handler=keep),
        pa.csv.ConvertOptions(
            include_columns=list(columns),
            include_missing_columns=True,
            column_types=dict.fromkeys((*names, *columns), pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    for batch in reader:
        yield pa.Table.from_batches([batch])
        if unreadable:
            yield pa.Table.from_pylist([{unreadable_into: text} for text in unreadable], reader.schema)
            unreadable.clear()


def parse_times(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read `2019-11-05 11:56:12` and ISO 8601 with `Z`, both UTC; null for other words and days that there are not."""
    times = pc.utf8_rtrim(pc.if_else(pc.match_substring_regex(text, TIME), text, None), "Z")
    try:
        return times.cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
    except pa.ArrowInvalid:
        return pa.chunked_array([[_time(one) for one in times.to_pylist()]], pa.timestamp("us", tz="UTC"))


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "").replace(tzinfo=UTC)
    except ValueError:
        return None
