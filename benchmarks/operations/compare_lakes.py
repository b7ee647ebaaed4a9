"""Are two lakes the same? Tables row by row, everything else byte by byte; what may differ is named here."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

WHEN_ASKED = ("fetched_at", "asked_at", "removed_at")
VIEWS = ("warehouse.duckdb", "warehouse.json")


def files_of(lake: Path) -> dict[str, Path]:
    """List the files of a lake but for its views, by path inside it."""
    found = {path.relative_to(lake).as_posix(): path for path in sorted(lake.rglob("*")) if path.is_file()}
    return {name: path for name, path in found.items() if name not in VIEWS}


def differences(expected: Path, actual: Path) -> list[str]:
    """Name every file that is missing, left over or different. Empty: [] for equal lakes."""
    left, right = files_of(expected), files_of(actual)
    found = [f"missing: {name}" for name in sorted(left.keys() - right.keys())]
    found += [f"left over: {name}" for name in sorted(right.keys() - left.keys())]
    return found + [
        f"different: {name}" for name in sorted(left.keys() & right.keys()) if _differ(left[name], right[name])
    ]


def _differ(left: Path, right: Path) -> bool:
    if left.read_bytes() == right.read_bytes():
        return False
    if left.suffix == ".parquet":
        return not _timeless(left).equals(_timeless(right))
    if left.suffix == ".json":
        return json.loads(left.read_text()) != json.loads(right.read_text())
    return True


def _timeless(path: Path) -> pa.Table:
    """Read a table without the columns that say when something was asked."""
    table: Any = pq.read_table(path, partitioning=None)
    return table.drop_columns([name for name in WHEN_ASKED if name in table.column_names])


def half_written(lake: Path) -> Iterator[str]:
    """Name the published files that do not read to their end. Scratch of live writers is not published."""
    for name, path in files_of(lake).items():
        if name.startswith("."):
            continue
        try:
            _read(path)
        except (OSError, ValueError, pa.ArrowInvalid, tarfile.TarError) as error:
            yield f"{name}: {error}"


def _read(path: Path) -> None:
    if path.suffix == ".parquet":
        pq.read_table(path, partitioning=None)
    elif path.suffix == ".tar":
        with tarfile.open(path) as tar:
            tar.getmembers()
    elif path.suffix == ".json":
        json.loads(path.read_text())


def holders_of(secret: str, folders: list[Path]) -> list[str]:
    """Name the files that hold a secret: logs, databases, tables."""
    needle = secret.encode()
    files = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    return [str(path) for path in files if needle in path.read_bytes()]
