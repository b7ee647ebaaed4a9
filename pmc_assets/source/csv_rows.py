"""The rows of a list in CSV as text, block by block, and their times. What the columns mean stays out."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from pmc_assets import schema

BLOCK_BYTES = 4 * 2**20
TIME = r"^(?:[1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?$"


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
    """Read every text as `parse_time` does; the usual spellings, with or without `Z`, all at once."""
    if pc.all(pc.match_substring_regex(text, TIME), min_count=0).as_py():
        try:
            return pc.utf8_rtrim(text, "Z").cast(pa.timestamp("us")).cast(schema.UTC)
        except pa.ArrowInvalid:
            pass
    return pa.chunked_array([[parse_time(one) for one in text.to_pylist()]], schema.UTC)


def parse_time(text: str | None) -> datetime | None:
    """Read `2019-11-05 11:56:12`, ISO 8601 and a day alone, in UTC where no offset is stated.

    Empty: None for other words and days that there are not.
    """
    try:
        time = datetime.fromisoformat((text or "").strip())
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
