"""Where the sample is written: a folder or bucket behind fsspec, and the files beside it."""

import json
from typing import Any

import fsspec


class Sink:
    """Objects below `url` (any fsspec URL), and files beside it named `<url><suffix>`."""

    def __init__(self, url: str) -> None:
        self.fs, root = fsspec.url_to_fs(url)
        self.root = root.rstrip("/")
        if hasattr(self.fs, "auto_mkdir"):
            self.fs.auto_mkdir = True
        self.size_bytes = 0

    @property
    def url(self) -> str:
        return self.fs.unstrip_protocol(self.root)

    def write(self, key: str, data: bytes) -> None:
        self.fs.pipe_file(f"{self.root}/{key}", data)
        self.size_bytes += len(data)

    def read(self, key: str) -> bytes:
        return self.fs.cat_file(f"{self.root}/{key}")

    def remove(self, key: str) -> None:
        self.fs.rm(f"{self.root}/{key}", recursive=True)

    def is_empty(self) -> bool:
        self.fs.invalidate_cache()
        return not self.fs.exists(self.root) or not self.fs.ls(self.root)

    def clear(self) -> None:
        if not self.is_empty():
            self.fs.rm(self.root, recursive=True)

    def beside(self, suffix: str) -> str:
        return f"{self.root}{suffix}"

    def write_beside(self, suffix: str, content: dict[str, Any]) -> None:
        self.fs.pipe_file(self.beside(suffix), json.dumps(content, indent=1).encode())

    def read_beside(self, suffix: str) -> dict[str, Any]:
        """Read a JSON file beside the bucket. Empty: {} where there is none."""
        if not self.fs.exists(self.beside(suffix)):
            return {}
        return json.loads(self.fs.cat_file(self.beside(suffix)))
