"""What changed between two inventories: both are read batch by batch, side by side, so that memory stays bounded."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pmc_assets.lake import Lake, Partition
from pmc_assets.schema import RAW_INVENTORY

COLUMNS = ["pmcid", "version", "etag", "batch"]
ROWS_PER_READ = 65_536
Batch = tuple[str, pa.Table]


def snapshot_partition(date: str) -> Partition:
    return Partition.of(snapshot_date=date)


def open_inventory(lake: Lake, date: str) -> IO[bytes]:
    return lake.open(lake.table_path(RAW_INVENTORY.name, snapshot_partition(date)))


@dataclass(slots=True)
class InventoryChanges:
    """Counts of rows against the inventory before, and which batches differ."""

    new: int = 0
    changed: int = 0
    vanished: int = 0
    batches: int = 0
    changed_batches: list[str] = field(default_factory=list)


def compare_inventories(before: IO[bytes] | None, after: IO[bytes]) -> InventoryChanges:
    """Compare two inventory files (None: with nothing)."""
    changes = InventoryChanges()
    for batch, old, new in _side_by_side(read_by_batch(before) if before else iter(()), read_by_batch(after)):
        changes.batches += new is not None
        if old is not None and new is not None and digest_batch(old) == digest_batch(new):
            continue
        changes.changed_batches.append(batch)
        etags_old, etags_new = _etags(old), _etags(new)
        changes.new += len(etags_new.keys() - etags_old.keys())
        changes.vanished += len(etags_old.keys() - etags_new.keys())
        changes.changed += sum(etags_old[key] != etag for key, etag in etags_new.items() if key in etags_old)
    return changes


def batch_digests(lake: Lake, date: str, stored: Iterable[str] = ()) -> dict[str, str]:
    """Digest the rows of every batch of one day's inventory: a batch whose digest is the same has nothing to do.

    A batch of `stored`, those that have article versions, that is not listed any more has the digest of no rows.
    """
    vanished = dict.fromkeys(stored, digest_batch(RAW_INVENTORY.empty()))
    with open_inventory(lake, date) as file:
        return vanished | {batch: digest_batch(rows) for batch, rows in read_by_batch(file)}


def count_repeated_keys(lake: Lake, date: str) -> int:
    """Count rows of one day's inventory whose key another row has; keys of a batch stand together."""
    with open_inventory(lake, date) as file:
        return sum(rows.num_rows - len(_etags(rows)) for _, rows in read_by_batch(file))


def digest_batch(rows: pa.Table) -> str:
    """Digest keys and ETags of one batch."""
    lines = pc.binary_join_element_wise(rows["pmcid"], rows["version"].cast(pa.string()), _filled(rows["etag"]), "/")
    return hashlib.md5("\n".join(lines.to_pylist()).encode(), usedforsecurity=False).hexdigest()


def read_by_batch(file: IO[bytes]) -> Iterator[Batch]:
    """Read an inventory file, which is sorted, batch by batch."""
    name, held = "", list[pa.RecordBatch]()
    for piece in pq.ParquetFile(file).iter_batches(ROWS_PER_READ, columns=COLUMNS):
        start = 0
        runs = pc.run_end_encode(piece.column("batch"))
        for end, batch in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
            if batch != name and held:
                yield name, pa.Table.from_batches(held)
                held = []
            name = batch
            held.append(piece.slice(start, end - start))
            start = end
    if held:
        yield name, pa.Table.from_batches(held)


def _side_by_side(
    before: Iterator[Batch], after: Iterator[Batch]
) -> Iterator[tuple[str, pa.Table | None, pa.Table | None]]:
    """Pair the batches of two sorted streams; None where one lacks a batch."""
    old, new = next(before, None), next(after, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old[0] < new[0]):
            assert old is not None
            yield old[0], old[1], None
            old = next(before, None)
        elif old is None or new[0] < old[0]:
            yield new[0], None, new[1]
            new = next(after, None)
        else:
            yield new[0], old[1], new[1]
            old, new = next(before, None), next(after, None)


def _etags(rows: pa.Table | None) -> dict[str, str]:
    if rows is None:
        return {}
    keys = pc.binary_join_element_wise(rows["pmcid"], rows["version"].cast(pa.string()), ".")
    return dict(zip(keys.to_pylist(), _filled(rows["etag"]).to_pylist(), strict=True))


def _filled(etag: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(etag, "")
