"""Read byte ranges of a lake's files, neighbours in one read, nothing in between. What they mean stays out."""

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path

from pmc_assets.lake import Lake

READ_BYTES = 2**18
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
    """Read ranges in order; of a remote lake, RANGES_AT_ONCE are under way at a time.

    Raises: EOFError where a file ends early.
    """
    reads = _read_local(lake, ranges) if lake.is_local else _read_remote(lake, ranges)
    for (path, offset, size), content in reads:
        if len(content) != size:
            raise EOFError(f"{path} ends before byte {offset + size}: rerun out/shards of this partition")
        yield content


def _read_local(lake: Lake, ranges: Iterable[Range]) -> Iterator[tuple[Range, Buffer]]:
    """Give views of the mapped files, so that nothing is copied but by the writer."""
    mapped, view = "", memoryview(b"")
    for path, offset, size in ranges:
        if path != mapped:
            with Path(lake.full_path(path)).open("rb") as file:
                mapped, view = path, memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        yield (path, offset, size), view[offset : offset + size]


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
