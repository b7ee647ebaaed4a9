"""A remote lake's files as DuckDB reads them: only the byte ranges asked for, sizes from the list of files.

Writing stays out.
"""

import io
from datetime import UTC, datetime
from typing import Any

import fsspec

from pmc_assets.lake import Lake
from pmc_assets.warehouse.listing import Snapshot

UNCHANGED = datetime(2000, 1, 1, tzinfo=UTC)


TAIL_BYTES = 32 * 2**10


class RangedFile(io.RawIOBase):
    """One file, read by ranges without read-ahead."""

    def __init__(self, files: "RangedFiles", path: str, size: int) -> None:
        self.files, self.path, self.size = files, path, size
        self.place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.size}[whence]
        return self.place

    def read(self, size: int = -1) -> bytes:
        end = self.size if size < 0 else min(self.size, self.place + size)
        if end <= self.place:
            return b""
        content = self.files.read_range(self.path, self.place, end)
        self.place += len(content)
        return content


class RangedFiles(fsspec.AbstractFileSystem):
    """The files that a lake's snapshot lists, read-only; nothing else exists."""

    cachable = False

    def __init__(self, lake: Lake, snapshot: Snapshot) -> None:
        super().__init__()
        self.protocol = lake.fs.protocol
        self.remote = lake.fs
        versions = [version for files in snapshot.files.values() for version in files.items()]
        self.sizes_bytes = {lake.full_path(path): int(version.rpartition("/")[2]) for path, version in versions}
        self.tails: dict[str, bytes] = {}
        self.blocks = {lake.full_path(path) for paths in snapshot.blocks.values() for path in paths}

    def size(self, path: str) -> int:
        known = self._known(path)
        if known in self.blocks and known not in self.sizes_bytes:
            self.sizes_bytes[known] = self.remote.size(known)
        if known not in self.sizes_bytes:
            raise FileNotFoundError(path)
        return self.sizes_bytes[known]

    def exists(self, path: str, **_: Any) -> bool:
        known = self._known(path)
        return known in self.sizes_bytes or known in self.blocks

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        return {"name": path, "size": self.size(path), "type": "file"}

    def glob(self, path: str, **_: Any) -> list[str]:  # type: ignore[override]
        return [path] if self.exists(path) else []

    def modified(self, path: str) -> datetime:
        return UNCHANGED

    def open(self, path: str, mode: str = "rb", **_: Any) -> RangedFile:  # type: ignore[override]
        if mode != "rb":
            raise PermissionError(f"{path}: a lake is read-only here")
        return RangedFile(self, self._known(path), self.size(path))

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """Read one range of a file; its tail, where Parquet keeps the footer, is fetched once and kept."""
        tail_start = max(0, self.sizes_bytes[path] - TAIL_BYTES)
        if start < tail_start:
            return self.remote.cat_file(path, start=start, end=end)
        if path not in self.tails:
            self.tails[path] = self.remote.cat_file(path, start=tail_start, end=self.sizes_bytes[path])
        return self.tails[path][start - tail_start : end - tail_start]

    def _known(self, path: str) -> str:
        return self.remote._strip_protocol(path)
