"""The inventory: one day's list of all article versions, in the order of batches. Metadata stay out."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pmc_assets.batches import PMCID_DIGITS
from pmc_assets.filelists.inventory_changes import InventoryChanges, compare_inventories
from pmc_assets.lake import Lake, Partition
from pmc_assets.rejects import Reject, rejects_table
from pmc_assets.results import StageResult
from pmc_assets.schema import RAW_INVENTORY
from pmc_assets.source.source import LISTING_SCHEMA, Snapshot, Source, UnreadableListing

MAX_SHRINK = 0.02
SORT_MEMORY = "320MB"
SORT_ROWS = 65_536
MAX_REJECTS = 10_000


class InventoryShrunk(RuntimeError):
    """The inventory has far fewer rows than the last one; nothing was changed."""


@dataclass
class _Tally:
    """What was seen while the listings went by."""

    listed: int = 0
    bad: int = 0
    stored: int = 0
    fault: UnreadableListing | None = None


def take_inventory(source: Source, lake: Lake, batch_ids: int, max_shrink: float = MAX_SHRINK) -> StageResult:
    """Store the newest readable inventory, unless the lake has it or a newer one.

    Source: S3 Inventory or a legacy file list. Shape: rows by number of PMCID and version.
    Raises: InventoryUnreadable, InventoryShrunk (more than the share `max_shrink` fewer rows); nothing is changed.
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
    return files[-1].split("snapshot_date=")[1].split("/")[0] if files else None


def snapshot_partition(date: str) -> Partition:
    return Partition.of(snapshot_date=date)


def read_batch(lake: Lake, batch: str) -> pa.Table:
    """Read one batch of the newest inventory. Empty: the empty table where there is no inventory."""
    date = last_snapshot(lake)
    if date is None:
        return RAW_INVENTORY.empty()
    with lake.open(lake.table_path(RAW_INVENTORY.name, snapshot_partition(date))) as file:
        return pq.read_table(file, filters=[("batch", "=", batch)])


def inventory_batches(lake: Lake) -> set[str]:
    """Name the batches of the newest inventory. Empty: the empty set where there is none."""
    date = last_snapshot(lake)
    if date is None:
        return set()
    with lake.open(lake.table_path(RAW_INVENTORY.name, snapshot_partition(date))) as file:
        batches = pq.ParquetFile(file, read_dictionary=["batch"]).iter_batches(columns=["batch"])
        return set().union(*(piece.column("batch").unique().to_pylist() for piece in batches))


def _store(
    lake: Lake, snapshot: Snapshot, before: str | None, batch_ids: int, max_shrink: float, folder: Path
) -> StageResult:
    partition = snapshot_partition(snapshot.date)
    rejects: list[Reject] = []
    tally = _Tally()
    with lake.writers([RAW_INVENTORY], partition) as writers:
        writer = writers[RAW_INVENTORY.name]
        for rows in _without_duplicates(_sorted(snapshot, batch_ids, folder, rejects, tally), rejects, tally):
            writer.append(rows)
            tally.stored += rows.num_rows
        writer.close()
        _refuse_shrunk(lake, before, tally.stored, max_shrink, snapshot.date)
        changes = compare_inventories(lake, before, writer.local, folder)
    lake.write_rejects("inventory", rejects_table(rejects), Partition())
    rejected = +Counter({"bad_inventory_row": tally.bad})
    result = StageResult(tally.listed, tally.stored, rejected, details=_details(snapshot.date, changes))
    return result.add_written(writer.written)


def _refuse_shrunk(lake: Lake, before: str | None, rows: int, max_shrink: float, date: str) -> None:
    rows_before = 0 if before is None else _count_rows(lake, before)
    if rows < rows_before * (1 - max_shrink) or rows == 0:
        raise InventoryShrunk(
            f"inventory of {date} has {rows:,} rows, that of {before or 'no day'} had {rows_before:,}: more than "
            f"{max_shrink:.0%} fewer; nothing was changed. If NLM really removed so many, raise max_shrink"
        )


def _count_rows(lake: Lake, date: str) -> int:
    with lake.open(lake.table_path(RAW_INVENTORY.name, snapshot_partition(date))) as file:
        return pq.read_metadata(file).num_rows


def _details(date: str, changes: InventoryChanges) -> dict[str, int | float | str | bool]:
    return {
        "snapshot_date": date,
        "new": changes.new,
        "changed": changes.changed,
        "vanished": changes.vanished,
        "batches": len(changes.batches),
        "changed_batches": len(changes.changed_batches),
    }


def _unchanged(lake: Lake, date: str) -> StageResult:
    """Describe the inventory that the lake has."""
    path = lake.table_path(RAW_INVENTORY.name, snapshot_partition(date))
    rows = _count_rows(lake, date)
    with lake.open(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    details: dict[str, int | float | str | bool] = {"snapshot_date": date, "new": 0, "changed": 0, "vanished": 0}
    size_bytes = lake.size_bytes(path)
    return StageResult(rows, rows, rows=rows, size_bytes=size_bytes, digest=digest, paths=[path], details=details)


def _sorted(
    snapshot: Snapshot, batch_ids: int, folder: Path, rejects: list[Reject], tally: _Tally
) -> Iterator[pa.Table]:
    """Sort the listings on disk by number and version; give them with their batch."""
    open_digits = len(str(batch_ids)) - 1
    listings = pa.RecordBatchReader.from_batches(  # noqa: F841 (read by name)
        LISTING_SCHEMA, (batch for table in _readable(snapshot, rejects, tally) for batch in table.to_batches())
    )
    with duckdb.connect(config={"memory_limit": SORT_MEMORY, "temp_directory": str(folder / "sort")}) as connection:
        connection.execute("set threads = 2; set preserve_insertion_order = false; set enable_progress_bar = false")
        rows = connection.sql(
            f"""
            with numbered as (
                select pmcid, version, etag, last_modified_at, cast(substr(pmcid, 4) as integer) as number
                from listings
            )
            select pmcid, version, etag, last_modified_at,
                'PMC' || lpad(cast(number // {batch_ids} as varchar), {PMCID_DIGITS - open_digits}, '0')
                    || '{"x" * open_digits}' as batch
            from numbered order by number, version, last_modified_at, etag
            """
        )
        try:
            for batch in rows.to_arrow_reader(SORT_ROWS):
                yield pa.Table.from_batches([batch]).cast(RAW_INVENTORY.arrow)
        except duckdb.Error as error:
            raise tally.fault or error from error


def _readable(snapshot: Snapshot, rejects: list[Reject], tally: _Tally) -> Iterator[pa.Table]:
    try:
        for listing in snapshot.listings:
            tally.listed += listing.num_rows
            bad = listing.filter(pc.is_null(listing["pmcid"]))
            _reject(bad["key"].to_pylist(), "not a metadata object", rejects, tally)
            yield listing.filter(pc.is_valid(listing["pmcid"])) if bad.num_rows else listing
    except UnreadableListing as error:
        tally.fault = error
        raise


def _reject(names: list[str], detail: str, rejects: list[Reject], tally: _Tally) -> None:
    tally.bad += len(names)
    room = MAX_REJECTS - len(rejects)
    rejects += [Reject("inventory", "bad_inventory_row", name=name, detail=detail) for name in names[:room]]


def _without_duplicates(pieces: Iterator[pa.Table], rejects: list[Reject], tally: _Tally) -> Iterator[pa.Table]:
    """Keep the last row of every key (the latest by time) of rows that are sorted."""
    held: pa.Table | None = None
    for piece in pieces:
        rows = piece if held is None else pa.concat_tables([held, piece])
        is_last = np.ones(rows.num_rows, bool)
        same_id = pc.equal(rows["pmcid"].slice(1), rows["pmcid"].slice(0, rows.num_rows - 1))
        same_version = pc.equal(rows["version"].slice(1), rows["version"].slice(0, rows.num_rows - 1))
        is_last[:-1] = ~pc.and_(same_id, same_version).to_numpy().astype(bool)
        repeated = rows.filter(pa.array(~is_last))
        names = [f"{r['pmcid']}.{r['version']}" for r in repeated.select(["pmcid", "version"]).to_pylist()]
        _reject(names, "listed twice", rejects, tally)
        kept = rows.filter(pa.array(is_last))
        held = kept.slice(kept.num_rows - 1)
        yield kept.slice(0, kept.num_rows - 1)
    if held is not None:
        yield held
