"""A stored file of an article version: its name, its role and its place in a tar part."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where a file's bytes are: `size_bytes` bytes at `offset_bytes` of the lake's file `part_path`."""

    name: str
    role: str
    size_bytes: int
    part_path: str
    offset_bytes: int
