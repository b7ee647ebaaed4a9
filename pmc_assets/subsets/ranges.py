"""Read byte ranges of a lake's files, neighbours in one read, nothing in between. What they mean stays out."""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from pmc_assets.lake import Lake

READ_BYTES = 2**19
RANGES_AT_ONCE = 64
BYTES_AT_ONCE = 64 * 2**20

Range = tuple[str, int, int]
Buffer = bytes | memoryview


def merged(ranges: Iterable[Range]) -> Iterator[Range]:
    """Join ranges (path, offset, size in bytes) that touch, in order, into reads of about READ_BYTES."""
    path, start, end = "", 0, 0
    for next_path, offset, size in ranges:
        if next_path == path and offset == end and end - start < READ_BYTES:
            end += size
            continue
        if end > start:
            yield path, start, end - start
        path, start, end = next_path, offset, offset + size
    if end > start:
        yield path, start, end - start


def read_ranges(lake: Lake, ranges: Iterable[Range]) -> Iterator[Buffer]:
    """Read ranges in order, each good until the next is asked for; of a remote lake, RANGES_AT_ONCE are under way.

    Raises: EOFError where a file ends early.
    """
    reads = _read_local(lake, ranges) if lake.is_local else _read_remote(lake, ranges)
    for (path, offset, size), content in reads:
        if len(content) != size:
            raise EOFError(f"{path} ends before byte {offset + size}: rerun out/shards of this partition")
        yield content


def _read_local(lake: Lake, ranges: Iterable[Range]) -> Iterator[tuple[Range, Buffer]]:
    """Read into one buffer again and again, which so stays in the processor's cache for who hashes and writes it."""
    buffer = memoryview(b"")
    for path, of_file in groupby(ranges, key=lambda each: each[0]):
        with Path(lake.full_path(path)).open("rb", buffering=0) as file:
            for _, offset, size in of_file:
                if size > len(buffer):
                    buffer = memoryview(bytearray(max(size, 2 * READ_BYTES)))
                yield (path, offset, size), buffer[: os.preadv(file.fileno(), [buffer[:size]], offset)]


def _read_remote(lake: Lake, ranges: Iterable[Range]) -> Iterator[tuple[Range, Buffer]]:
    waiting: list[Range] = []
    for range_ in ranges:
        waiting.append(range_)
        if len(waiting) == RANGES_AT_ONCE or sum(size for _, _, size in waiting) >= BYTES_AT_ONCE:
            yield from _fetch(lake, waiting)
            waiting = []
    yield from _fetch(lake, waiting)


def _fetch(lake: Lake, ranges: list[Range]) -> Iterator[tuple[Range, Buffer]]:
    contents = lake.fs.cat_ranges(
        [lake.full_path(path) for path, _, _ in ranges],
        [offset for _, offset, _ in ranges],
        [offset + size for _, offset, size in ranges],
        on_error="raise",
    )
    return zip(ranges, contents, strict=True)
