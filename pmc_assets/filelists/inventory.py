"""The inventory: one day's list of all article versions, in the order of batches. Metadata stay out."""

import contextlib
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pmc_assets.batches import batch_names
from pmc_assets.filelists.inventory_changes import (
    InventoryChanges,
    compare_inventories,
    open_inventory,
    snapshot_partition,
)
from pmc_assets.filelists.sorting import sort_listings
from pmc_assets.lake import Lake, Partition
from pmc_assets.rejects import Reject, rejects_table
from pmc_assets.results import StageResult
from pmc_assets.schema import RAW_INVENTORY
from pmc_assets.source.source import Snapshot, Source

MAX_SHRINK = 0.02
MAX_REJECTS = 10_000


class InventoryShrunk(RuntimeError):
    """The inventory has far fewer rows than the last one; nothing was changed."""


@dataclass
class _Tally:
    """What was seen while the listings went by."""

    listed: int = 0
    bad: int = 0
    stored: int = 0


def take_inventory(source: Source, lake: Lake, batch_ids: int, max_shrink: float = MAX_SHRINK) -> StageResult:
    """Store the newest readable inventory, unless the lake has a newer one; that of the same day is stored again.

    Source: S3 Inventory or a legacy file list. Shape: rows by number of PMCID and version.
    Raises: UnreadableListing, InventoryShrunk (more than the share `max_shrink` fewer rows); nothing is changed.
    """
    before = last_snapshot(lake)
    with lake.scratch() as folder:
        snapshot = source.open_snapshot(folder)
        if before is not None and snapshot.date < before:
            return _unchanged(lake, before)
        result = _store(lake, snapshot, before, batch_ids, max_shrink, folder)
    return result


def last_snapshot(lake: Lake) -> str | None:
    """Name the day of the newest inventory in the lake; None where there is none."""
    files = lake.find("raw/inventory", f"/{RAW_INVENTORY.short_name}.parquet")
    return Partition.from_path(files[-1])["snapshot_date"] if files else None


def read_batch(lake: Lake, batch: str) -> pa.Table:
    """Read one batch of the newest inventory. Empty: the empty table where there is no inventory."""
    date = last_snapshot(lake)
    if date is None:
        return RAW_INVENTORY.empty()
    with open_inventory(lake, date) as file:
        return pq.read_table(file, filters=[("batch", "=", batch)])


def inventory_batches(lake: Lake) -> set[str]:
    """Name the batches of the newest inventory, and those whose versions the lake has though all of them vanished.

    Empty: the empty set where there is no inventory.
    """
    date = last_snapshot(lake)
    if date is None:
        return set()
    with open_inventory(lake, date) as file:
        batches = pq.ParquetFile(file, read_dictionary=["batch"]).iter_batches(columns=["batch"])
        return stored_batches(lake).union(*(piece.column("batch").unique().to_pylist() for piece in batches))


def stored_batches(lake: Lake) -> set[str]:
    """Name the batches of which the lake has article versions."""
    return {Partition.from_path(path)["batch"] for path in lake.find("raw/article_versions", ".parquet")}


def _store(
    lake: Lake, snapshot: Snapshot, before: str | None, batch_ids: int, max_shrink: float, folder: Path
) -> StageResult:
    partition = snapshot_partition(snapshot.date)
    rejects: list[Reject] = []
    tally = _Tally()
    with lake.writers([RAW_INVENTORY], partition) as writers:
        writer = writers[RAW_INVENTORY.name]
        for rows in _sorted(snapshot, batch_ids, folder, rejects, tally):
            writer.append(rows)
            tally.stored += rows.num_rows
        writer.close()
        _refuse_shrunk(lake, before, tally.stored, max_shrink, snapshot.date)
        changes = _compare(lake, before, writer.local)
    lake.write_rejects("inventory", rejects_table(rejects), Partition())
    rejected = +Counter({"bad_inventory_row": tally.bad})
    result = StageResult(tally.listed, tally.stored, rejected, details=_details(snapshot.date, changes))
    return result.add_written(writer.written)


def _compare(lake: Lake, before: str | None, after: Path) -> InventoryChanges:
    with contextlib.ExitStack() as files:
        old = files.enter_context(open_inventory(lake, before)) if before else None
        return compare_inventories(old, files.enter_context(after.open("rb")))


def _refuse_shrunk(lake: Lake, before: str | None, rows: int, max_shrink: float, date: str) -> None:
    if rows == 0:
        raise InventoryShrunk(f"inventory of {date} lists no article version; nothing was changed, run again later")
    rows_before = 0 if before is None else _count_rows(lake, before)
    if rows < rows_before * (1 - max_shrink):
        raise InventoryShrunk(
            f"inventory of {date} has {rows:,} rows, that of {before} had {rows_before:,}: more than "
            f"{max_shrink:.0%} fewer; nothing was changed. If NLM really removed so many, raise max_shrink"
        )


def _count_rows(lake: Lake, date: str) -> int:
    with open_inventory(lake, date) as file:
        return pq.read_metadata(file).num_rows


def _details(date: str, changes: InventoryChanges) -> dict[str, int | float | str | bool]:
    return {
        "snapshot_date": date,
        "new": changes.new,
        "changed": changes.changed,
        "vanished": changes.vanished,
        "batches": changes.batches,
        "changed_batches": len(changes.changed_batches),
    }


def _unchanged(lake: Lake, date: str) -> StageResult:
    """Describe the inventory that the lake has."""
    path = lake.table_path(RAW_INVENTORY.name, snapshot_partition(date))
    rows = _count_rows(lake, date)
    with open_inventory(lake, date) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    details: dict[str, int | float | str | bool] = {"snapshot_date": date, "new": 0, "changed": 0, "vanished": 0}
    size_bytes = lake.size_bytes(path)
    return StageResult(rows, rows, rows=rows, size_bytes=size_bytes, digest=digest, paths=[path], details=details)


def _sorted(
    snapshot: Snapshot, batch_ids: int, folder: Path, rejects: list[Reject], tally: _Tally
) -> Iterator[pa.Table]:
    """Give the readable rows in the order of the table, with their batch, one row per key."""
    for rows in sort_listings(_readable(snapshot, rejects, tally), folder / "ranges"):
        kept = _without_duplicates(rows, rejects, tally)
        columns = [kept[name] for name in ("pmcid", "version", "etag", "last_modified_at")]
        yield pa.table([*columns, batch_names(kept["number"], batch_ids)], schema=RAW_INVENTORY.arrow)


def _readable(snapshot: Snapshot, rejects: list[Reject], tally: _Tally) -> Iterator[pa.Table]:
    for listing in snapshot.listings:
        tally.listed += listing.num_rows
        bad = listing.filter(pc.is_null(listing["pmcid"]))
        _reject(bad["key"].to_pylist(), "not a metadata object", rejects, tally)
        yield (listing.filter(pc.is_valid(listing["pmcid"])) if bad.num_rows else listing).drop_columns("key")


def _reject(names: list[str], detail: str, rejects: list[Reject], tally: _Tally) -> None:
    tally.bad += len(names)
    room = MAX_REJECTS - len(rejects)
    rejects += [Reject("inventory", "bad_inventory_row", name=name, detail=detail) for name in names[:room]]


def _without_duplicates(rows: pa.Table, rejects: list[Reject], tally: _Tally) -> pa.Table:
    """Keep the last row of every key (the latest by time) of rows that are sorted."""
    number, version = rows["number"].to_numpy(), rows["version"].to_numpy()
    is_repeated = np.zeros(rows.num_rows, bool)
    is_repeated[:-1] = (number[1:] == number[:-1]) & (version[1:] == version[:-1])
    if not is_repeated.any():
        return rows
    repeated = rows.filter(pa.array(is_repeated)).select(["pmcid", "version"]).to_pylist()
    _reject([f"{row['pmcid']}.{row['version']}" for row in repeated], "listed twice", rejects, tally)
    return rows.filter(pa.array(~is_repeated))
