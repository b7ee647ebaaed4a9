"""Files written in whole blocks, through one small buffer that pieces are read straight into. Whose stays out."""

import os
from types import TracebackType

BLOCK_BYTES = 2**18


class BlockWriter:
    """Writes one stretch of a file, front to back, in blocks of a quarter of a MiB that lie as the file's pages do.

    Larger ones are at times four times as slow: the kernel then looks for as much memory in one piece.
    """

    def __init__(self, descriptor: int, offset: int = 0) -> None:
        self.descriptor, self.offset = descriptor, offset
        self.waiting = 0
        self.buffer = memoryview(bytearray(2 * BLOCK_BYTES))

    def __enter__(self) -> "BlockWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        if kind is None:
            self._write(self.waiting)

    def room(self, size: int) -> memoryview:
        """Give the place of the next `size` bytes, to be filled before the next call."""
        if self.waiting >= BLOCK_BYTES:
            self._write(self.waiting - (self.offset + self.waiting) % BLOCK_BYTES)
        end = self.waiting + size
        if end > len(self.buffer):
            larger = memoryview(bytearray(end))
            larger[: self.waiting] = self.buffer[: self.waiting]
            self.buffer = larger
        room = self.buffer[self.waiting : end]
        self.waiting = end
        return room

    def _write(self, size: int) -> None:
        content, rest = self.buffer[:size], self.buffer[size : self.waiting]
        write_all(self.descriptor, content, self.offset)
        self.buffer[: len(rest)] = rest
        self.offset, self.waiting = self.offset + size, len(rest)


def write_all(descriptor: int, content: memoryview | bytes, offset: int) -> None:
    """Write all of the content at an offset: a write may take less."""
    rest = memoryview(content)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written


def allocate(descriptor: int, size: int) -> None:
    """Give a new file its size: the file system finds its blocks once, not again for every write."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
