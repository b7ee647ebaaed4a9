"""Tar parts: files appended in order, closed at a size, published by one rename together with their own index."""

import json
import re
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pmc_assets.lake import Lake, Partition
from pmc_assets.schema import RAW_PACKAGES
from pmc_assets.source.source import PackageFile

PART_BYTES = 256 * 2**20
BLOCK_BYTES = tarfile.BLOCKSIZE
END_BYTES = 2 * BLOCK_BYTES
INDEX_NAME = "index.json"
INDEX_ROW_BYTES = 512
NAME_BYTES = 100
PART_NAME = re.compile(r"part-\d{5,}\.tar")

Row = dict[str, Any]


def part_path(lake: Lake, partition: Partition, number: int) -> str:
    return f"{lake.partition_path(RAW_PACKAGES.name, partition)}/part-{number:05d}.tar"


def find_parts(lake: Lake, partition: Partition) -> list[str]:
    """List the parts of one partition, in their order; other files are nobody's business."""
    paths = lake.find(lake.partition_path(RAW_PACKAGES.name, partition), ".tar")
    return [path for path in paths if PART_NAME.fullmatch(PurePosixPath(path).name)]


def next_number(paths: list[str]) -> int:
    """Number the part that follows some."""
    return max((int(PurePosixPath(path).stem.removeprefix("part-")) for path in paths), default=-1) + 1


class PartWriter:
    """Appends files to numbered parts of one partition; a part is visible only when it is whole.

    The last member of a part is its index (rows of `raw.packages` without part_path), so a part needs nothing else to
    be read. Equal files in equal order give equal bytes: USTAR, no times, no owners.
    """

    def __init__(self, lake: Lake, partition: Partition, number: int, folder: Path, part_bytes: int) -> None:
        self._lake, self._partition, self._folder, self._part_bytes = lake, partition, folder, part_bytes
        self._number = number
        self._rows: list[Row] = []
        self._file: IO[bytes] | None = None
        self._size_bytes = 0
        self.published: list[str] = []

    def append(self, pmcid: str, version: int, file: PackageFile, listing_md5: str) -> Row:
        """Add one file; give its row of `raw.packages`."""
        assert file.content is not None
        if self._rows and self._size_if_added(len(file.content)) > self._part_bytes:
            self.publish()
        offset_bytes = self._write_member(member_name(pmcid, version, file), file.content)
        row = {
            "pmcid": pmcid,
            "version": version,
            "name": file.name,
            "role": file.role,
            "md5": file.md5,
            "size_bytes": len(file.content),
            "offset_bytes": offset_bytes,
            "listing_md5": listing_md5,
        }
        self._rows.append(row)
        return row | {"part_path": part_path(self._lake, self._partition, self._number)}

    def publish(self) -> None:
        """Close the open part and put it in its place. An empty part is none."""
        if not self._rows:
            return
        self._write_member(INDEX_NAME, _index_bytes(self._rows))
        assert self._file is not None
        self._file.write(bytes(END_BYTES))
        self._file.close()
        path = part_path(self._lake, self._partition, self._number)
        self._lake.publish_file(self._local, path)
        self.published.append(path)
        self._number += 1
        self._rows, self._file, self._size_bytes = [], None, 0

    @property
    def _local(self) -> Path:
        return self._folder / f"part-{self._number:05d}.tar"

    def _size_if_added(self, content_bytes: int) -> int:
        index_bytes = (len(self._rows) + 2) * INDEX_ROW_BYTES
        return self._size_bytes + 3 * BLOCK_BYTES + content_bytes + index_bytes + END_BYTES

    def _write_member(self, name: str, content: bytes) -> int:
        if self._file is None:
            self._file = self._local.open("wb")
        info = tarfile.TarInfo(name)
        info.size = len(content)
        self._file.write(info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict"))
        self._file.write(content)
        self._file.write(bytes(-len(content) % BLOCK_BYTES))
        offset_bytes = self._size_bytes + BLOCK_BYTES
        self._size_bytes = offset_bytes + len(content) + -len(content) % BLOCK_BYTES
        return offset_bytes


def member_name(pmcid: str, version: int, file: PackageFile) -> str:
    """Name a file in its part: `PMC1.1/name`, or its md5 where the name does not fit into a USTAR header."""
    name = f"{pmcid}.{version}/{file.name}"
    fits = len(name.encode()) <= NAME_BYTES
    return name if fits else f"{pmcid}.{version}/{file.md5}{PurePosixPath(file.name).suffix[:16]}"


def _index_bytes(rows: list[Row]) -> bytes:
    """Write an index as JSON lines whose last line, alone in the last block, says how long the index is."""
    lines = b"".join(json.dumps(row, sort_keys=True).encode() + b"\n" for row in rows)
    lines += b" " * (-len(lines) % BLOCK_BYTES)
    return lines + json.dumps({"index_bytes": len(lines)}).encode().ljust(BLOCK_BYTES - 1) + b"\n"


def read_index(lake: Lake, path: str) -> list[Row]:
    """Read the rows of one part from the part itself. Empty: [] for a part that is not whole."""
    end = lake.size_bytes(path) - END_BYTES - BLOCK_BYTES
    if end < 0:
        return []
    try:
        index_bytes = json.loads(lake.read_bytes(path, end, BLOCK_BYTES))["index_bytes"]
        lines = lake.read_bytes(path, end - index_bytes, index_bytes).splitlines()
        return [json.loads(line) | {"part_path": path} for line in lines if line.strip()]
    except (ValueError, KeyError, TypeError):
        return []
