"""The lake: the only writer of tables and files; every partition is published whole. What is written stays out."""

import contextlib
import filecmp
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from pmc_assets.locks import LOCK, hold_lock, private_folder
from pmc_assets.schema import CORE_REJECTS, Table

ROW_GROUP_ROWS = 16_384
ROW_GROUP_BYTES = 32 * 2**20
CONTENTS = "contents"
SAMPLE = "the embedded sample"
"""Setting of a lake: what its articles are; this value says that they are synthetic."""
SCRATCH = ".tmp"
NO_VALUE = "none"
MOVE_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Partition:
    """One cell: hive column to value, in the table's order. `Partition()` is an unpartitioned table."""

    values: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, **values: str) -> "Partition":
        return cls(tuple(values.items()))

    @classmethod
    def from_path(cls, path: str) -> "Partition":
        """Read the hive columns of a path in the lake: `raw/x/batch=PMC1xx/x.parquet` is of batch PMC1xx."""
        return cls(tuple((name, value) for name, mark, value in (f.partition("=") for f in path.split("/")) if mark))

    @property
    def path(self) -> str:
        return "/".join(f"{name}={value}" for name, value in self.values)

    def __getitem__(self, name: str) -> str:
        return dict(self.values)[name]


@dataclass(slots=True)
class Written:
    """What a publication wrote: rows, bytes and a digest of the content (the asset's data version)."""

    rows: int = 0
    size_bytes: int = 0
    digest: str = ""
    paths: list[str] = field(default_factory=list)


class Lake:
    """A folder or bucket (`url`: any fsspec URL) of hive-partitioned Parquet, tar parts and shards.

    A table's partition is one file, `<layer>/<table>/<column>=<value>/.../<table>.parquet`, replaced by one rename
    (one PUT on object storage). No rows means no file: an absent partition reads as the empty table.
    """

    def __init__(self, url: str) -> None:
        self.fs, root = fsspec.url_to_fs(url)
        self.root = root.rstrip("/")
        self.url = self.fs.unstrip_protocol(self.root)
        self.is_local = isinstance(self.fs, LocalFileSystem)
        self.duckdb_root = self.root if self.is_local else self.url

    # -- places ---------------------------------------------------------------------------------------------------

    def full_path(self, path: str) -> str:
        """Give the path inside the lake as its file system wants it."""
        return f"{self.root}/{path}"

    def partition_path(self, table_name: str, partition: Partition) -> str:
        layer, short_name = table_name.split(".")
        return "/".join(part for part in (layer, short_name, partition.path) if part)

    def table_path(self, table_name: str, partition: Partition, stem: str = "") -> str:
        return f"{self.partition_path(table_name, partition)}/{stem or table_name.split('.')[1]}.parquet"

    def exists(self, path: str) -> bool:
        self.fs.invalidate_cache()
        return self.fs.exists(self.full_path(path))

    def size_bytes(self, path: str) -> int:
        return self.fs.size(self.full_path(path))

    def find(self, path: str, suffix: str = "") -> list[str]:
        """List the files below a path, sorted, as paths inside the lake. Empty: [] where there is none."""
        self.fs.invalidate_cache()
        full = self.full_path(path)
        if not self.fs.exists(full):
            return []
        return sorted(f.removeprefix(self.root + "/") for f in self.fs.find(full) if f.endswith(suffix))

    # -- reading --------------------------------------------------------------------------------------------------

    def open(self, path: str) -> IO[bytes]:
        return self.fs.open(self.full_path(path), "rb")

    def read_bytes(self, path: str, offset: int = 0, size: int | None = None) -> bytes:
        """Read `size` bytes at `offset` (both in bytes) of a file of the lake."""
        if self.is_local:
            with Path(self.full_path(path)).open("rb") as file:
                file.seek(offset)
                return file.read(-1 if size is None else size)
        return self.fs.cat_file(self.full_path(path), start=offset, end=None if size is None else offset + size)

    def read_table(
        self, table: Table, partition: Partition, columns: list[str] | None = None, stem: str = ""
    ) -> pa.Table:
        """Read one partition of a table. Empty: the empty table with the schema where the partition is absent."""
        path = self.table_path(table.name, partition, stem)
        if not self.exists(path):
            empty = table.empty()
            return empty.select(columns) if columns else empty
        with self.open(path) as file:
            return pq.read_table(file, columns=columns)

    # -- writing --------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a private local folder on the lake's own disk (for a local lake), removed at the end.

        Folders of dead processes are swept: each live one holds a lock.
        """
        with private_folder(self._scratch_base) as folder:
            yield folder

    @contextlib.contextmanager
    def lock(self, name: str, is_patient: bool = True) -> Iterator[bool]:
        """Let one process at a time work on what `name` says: the others wait, or get False. Within one machine."""
        with hold_lock(self._scratch_base / (name.replace("/", "-") + LOCK), is_patient) as is_held:
            yield is_held

    @property
    def _scratch_base(self) -> Path:
        return Path(self.root) / SCRATCH if self.is_local else Path(f".tmp-{self.root.replace('/', '-')}")

    def publish_file(self, local: Path, path: str) -> None:
        """Put a finished local file in its place by one rename (one upload elsewhere).

        In a local lake a file of just these bytes stays, so that what is made of it is known to be up to date.
        """
        full = self.full_path(path)
        if self.is_local:
            if not _are_same(local, Path(full)):
                _move(local, Path(full))
        else:
            self.fs.put_file(str(local), full)
            self.fs.invalidate_cache()

    def publish_folder(self, local: Path, path: str, last: str = "") -> None:
        """Put a finished local folder in its place: the old one is gone before the new one appears.

        In a local lake a folder of just these files stays. On object storage the file named `last` (a manifest) is
        removed first and uploaded last: it says "whole".
        Empty: a folder without files only removes the old one.
        """
        full = self.full_path(path)
        if not any(local.iterdir()):
            self.delete(path)
            return
        if self.is_local:
            target = Path(full)
            if _are_same(local, target):
                return
            with self.scratch() as trash:
                if target.exists():
                    target.rename(trash / "old")
                _move(local, target)
            return
        self.delete(path)
        files = sorted(f for f in local.rglob("*") if f.is_file())
        for file in sorted(files, key=lambda f: (f.name == last, f)):
            self.fs.put_file(str(file), f"{full}/{file.relative_to(local).as_posix()}")
        self.fs.invalidate_cache()

    def write_bytes(self, path: str, content: bytes) -> None:
        with self.scratch() as folder:
            local = folder / "content"
            local.write_bytes(content)
            self.publish_file(local, path)

    def delete(self, path: str) -> None:
        """Delete a file or folder of the lake; absent is fine."""
        full = self.full_path(path)
        self.fs.invalidate_cache()
        if self.fs.exists(full):
            self.fs.rm(full, recursive=True)
        if self.is_local:
            self._remove_empty_parents(Path(full).parent)

    def _remove_empty_parents(self, folder: Path) -> None:
        with contextlib.suppress(OSError):
            while folder != Path(self.root):
                folder.rmdir()
                folder = folder.parent

    @contextlib.contextmanager
    def writers(self, tables: Iterable[Table], partition: Partition, stem: str = "") -> Iterator[dict[str, "Writer"]]:
        """Open a writer per table of one partition; all are published at a clean end, none after an exception."""
        with self.scratch() as folder:
            open_writers = {t.name: Writer(t, folder / f"{t.name}.parquet") for t in tables}
            yield open_writers
            for writer in open_writers.values():
                writer.close()
            for writer in open_writers.values():
                path = self.table_path(writer.table.name, partition, stem)
                if writer.written.rows:
                    self.publish_file(writer.local, path)
                    writer.written.paths.append(path)
                else:
                    self.delete(path)

    def write_table(self, table: Table, rows: pa.Table, partition: Partition, stem: str = "") -> Written:
        """Publish one partition of a table as one file; no rows removes the file."""
        with self.writers([table], partition, stem) as writers:
            writers[table.name].append(rows)
        return writers[table.name].written

    def write_rejects(self, stage: str, rejects: pa.Table, partition: Partition) -> Written:
        """Publish the rejects of one stage for one partition: `core/rejects/<cell>/<stage>.parquet`.

        A stage before the licence groups (or the batches) is known by `none` in their place.
        """
        values = dict.fromkeys(CORE_REJECTS.partitioned_by, NO_VALUE) | dict(partition.values)
        cell = Partition.of(**{column: values[column] for column in CORE_REJECTS.partitioned_by})
        return self.write_table(CORE_REJECTS, rejects, cell, stem=stage)

    # -- what is fixed for a lake ---------------------------------------------------------------------------------

    def settings(self) -> dict[str, int | str]:
        """Give what was fixed for this lake. Empty: {} before its first use."""
        return json.loads(self.read_bytes("lake.json")) if self.exists("lake.json") else {}

    def fix_setting(self, name: str, value: int | str) -> None:
        """Record a setting at the lake's first use; refuse another value later.

        Raises: LakeSettingChanged.
        """
        settings = self.settings()
        if name not in settings:
            settings[name] = value
            self.write_bytes("lake.json", json.dumps(settings, indent=1, sort_keys=True).encode() + b"\n")
        if settings[name] != value:
            raise LakeSettingChanged(
                f"{self.url} was made with {name} = {settings[name]}, not {value}: keep it, or start a new lake "
                "(the variables PMC_SOURCE, PMC_BATCH_IDS and PMC_LAKE decide)"
            )


def _move(local: Path, target: Path) -> None:
    """Rename into a folder that is made for it; another stage may remove the folder, empty as it is, in between."""
    for left in reversed(range(MOVE_ATTEMPTS)):
        try:
            with contextlib.suppress(FileExistsError):  # as in `hold_lock`
                target.parent.mkdir(parents=True)
            local.replace(target)
            return
        except FileNotFoundError:
            if not left:
                raise


def _are_same(made: Path, there: Path) -> bool:
    """Say whether two files, or two folders of files, are there with the same names and bytes."""
    with contextlib.suppress(OSError):
        ours, others = _files(made), _files(there)
        return (
            bool(ours)
            and ours.keys() == others.keys()
            and all(filecmp.cmp(ours[name], others[name], shallow=False) for name in ours)
        )
    return False


def _files(path: Path) -> dict[Path, Path]:
    """Find a file, or the files below a folder, by their place in it."""
    return {file.relative_to(path): file for file in (path, *path.rglob("*")) if file.is_file()}


class LakeSettingChanged(ValueError):
    """A setting that is fixed for a lake at its first use was changed."""


class Writer:
    """Collects rows of one table and writes them as row groups of bounded size; identical rows give identical bytes."""

    def __init__(self, table: Table, local: Path) -> None:
        self.table = table
        self.local = local
        self.written = Written(digest=hashlib.sha256(b"").hexdigest())
        self._pending: list[pa.Table] = []
        self._pending_rows = self._pending_bytes = 0
        self._parquet: pq.ParquetWriter | None = None

    def append(self, rows: pa.Table) -> None:
        """Add rows with the table's schema, in key order. Row groups depend on the rows and their pieces."""
        for start in range(0, rows.num_rows, ROW_GROUP_ROWS):
            piece = rows.slice(start, ROW_GROUP_ROWS - self._pending_rows)
            self._add(piece)
            rest = rows.slice(start + piece.num_rows, ROW_GROUP_ROWS - piece.num_rows)
            self._add(rest)

    def _add(self, piece: pa.Table) -> None:
        if piece.num_rows == 0:
            return
        self._pending.append(piece)
        self._pending_rows += piece.num_rows
        self._pending_bytes += piece.nbytes
        if self._pending_rows >= ROW_GROUP_ROWS or self._pending_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        parquet = self._parquet or pq.ParquetWriter(self.local, self._schema(), compression="zstd")
        rows = pa.concat_tables(self._pending).cast(parquet.schema)
        parquet.write_table(rows, row_group_size=rows.num_rows)
        self._parquet = parquet
        self.written.rows += rows.num_rows
        self._pending, self._pending_rows, self._pending_bytes = [], 0, 0

    def _schema(self) -> pa.Schema:
        first = self._pending[0].schema
        columns = [f if first.field(f.name).type.equals(f.type) else _retyped(f, first) for f in self.table.arrow]
        return pa.schema(columns, metadata=self.table.arrow.metadata)

    def close(self) -> None:
        self._flush()
        if self._parquet is not None and self._parquet.is_open:
            self._parquet.close()
            with self.local.open("rb") as file:
                self.written.digest = hashlib.file_digest(file, "sha256").hexdigest()
            self.written.size_bytes = self.local.stat().st_size


def _retyped(contract: pa.Field, actual: pa.Schema) -> pa.Field:
    """Let a list column of the contract be a fixed-size list in the file (vectors); refuse any other type."""
    type_ = actual.field(contract.name).type
    is_vector = pa.types.is_fixed_size_list(type_) and type_.value_type.equals(contract.type.value_type)
    return contract.with_type(type_) if is_vector else contract
