"""Which Parquet files every table of a lake has, and in which version each is. Reading them stays out."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pmc_assets.lake import Lake
from pmc_assets.schema import Table
from pmc_assets.warehouse.views import literal, texts

Listing = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Snapshot:
    """A lake's files at one moment: `files` is table to path to version, `blocks` table to its compacted files.

    `made` tells one warehouse file, and the statements that made it, from another.
    """

    files: Listing
    blocks: dict[str, list[str]] = field(default_factory=dict)
    made: str = ""

    @classmethod
    def from_json(cls, content: bytes) -> "Snapshot":
        """Raises: ValueError for what `to_json` does not give."""
        try:
            read = cls(**json.loads(content))
            if all(isinstance(each, dict) for each in (read.files, read.blocks, *read.files.values())):
                return read
        except (ValueError, TypeError, AttributeError, RecursionError):
            pass
        raise ValueError("no list of a lake's files")

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), indent=0).encode() + b"\n"

    def is_compacted(self, table: Table) -> bool:
        return bool(self.blocks.get(table.name))

    def glob(self, root: str, table: Table) -> str:
        """Name a table's files by a glob below the SQL variable `lake`, else below `root`. Empty: "" for no files."""
        if not self.files.get(table.name):
            return ""
        folders = [f"{column}=*" for column in table.partitioned_by]
        path = "/".join([table.layer, table.short_name, *folders, "*.parquet"])
        if self.is_compacted(table):
            path = f"compact/{table.layer}/{table.short_name}/license_group=*/*.parquet"
        return f"coalesce(getvariable('lake'), {literal(root)}) || {literal('/' + path)}"

    def paths(self, root: str, table: Table) -> str:
        """Name a table's files one by one, for a lake that is listed slowly or not at all (S3, HTTP)."""
        paths = self.blocks.get(table.name) or list(self.files.get(table.name, ()))
        return texts(f"{root}/{path}" for path in paths)


def list_files(lake: Lake, tables: Iterable[Table]) -> Listing:
    """List each table's files as path inside the lake to version, sorted by path."""
    lake.fs.invalidate_cache()
    return {table.name: _table_files(lake, table) for table in tables}


def _table_files(lake: Lake, table: Table) -> dict[str, str]:
    folder = lake.full_path(f"{table.layer}/{table.short_name}")
    if not lake.fs.exists(folder):
        return {}
    found = lake.fs.find(folder, detail=True)
    depth = len(table.partitioned_by) + 1
    return {
        path.removeprefix(lake.root + "/"): file_version(found[path])
        for path in sorted(found)
        if path.endswith(".parquet") and path.removeprefix(folder + "/").count("/") + 1 == depth
    }


def file_version(info: Mapping[str, Any]) -> str:
    """Tell one state of a file from another: object storage's ETag, else the time of the last change, and the size."""
    tags = (info.get(name) for name in ("ETag", "etag", "mtime", "created"))
    return f"{next((tag for tag in tags if tag is not None), '')}/{info['size']}".replace('"', "")
