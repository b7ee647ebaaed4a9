"""What changed between two inventories, found batch by batch so that memory stays bounded."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from pmc_assets.lake import Lake, Partition
from pmc_assets.schema import RAW_INVENTORY

COMPARE_MEMORY = "320MB"


@dataclass(frozen=True, slots=True)
class InventoryChanges:
    """Counts against the inventory before, the batches that are there, and those among them that differ."""

    new: int
    changed: int
    vanished: int
    batches: tuple[str, ...]
    changed_batches: tuple[str, ...]


def compare_inventories(lake: Lake, before: str | None, after: Path, folder: Path) -> InventoryChanges:
    """Compare the new inventory (a local file) with the one of the day `before` (None: with nothing)."""
    with duckdb.connect(config={"memory_limit": COMPARE_MEMORY, "temp_directory": str(folder / "compare")}) as database:
        database.execute("set threads = 2; set enable_progress_bar = false")
        _make_view(database, "after", str(after))
        _make_view(database, "before", None if before is None else _local_copy(lake, before, folder))
        batches = [row[0] for row in database.execute("select distinct batch from after order by 1").fetchall()]
        changed = [row[0] for row in database.execute(_CHANGED_BATCHES).fetchall()]
        database.execute("create temp table concerned as select unnest($1) as batch", [changed])
        new, changed_rows, vanished = database.execute(_COUNTS).fetchone() or (0, 0, 0)
    return InventoryChanges(new, changed_rows, vanished, tuple(batches), tuple(changed))


def batch_digests(lake: Lake, date: str) -> dict[str, str]:
    """Digest the rows of every batch of one day's inventory: a batch whose digest is the same has nothing to do."""
    with lake.scratch() as folder, duckdb.connect(config={"memory_limit": COMPARE_MEMORY}) as database:
        database.execute("set threads = 2; set enable_progress_bar = false")
        _make_view(database, "inventory", _local_copy(lake, date, folder))
        rows = database.execute(f"{_DIGEST.format('inventory')} order by batch").fetchall()
    return {batch: f"{row_count}-{content:016x}" for batch, row_count, content in rows}


def _make_view(database: duckdb.DuckDBPyConnection, name: str, path: str | None) -> None:
    columns = "batch, pmcid, version, etag"
    rows = "(select '' as batch, '' as pmcid, 0 as version, '' as etag where false)"
    if path is not None:
        rows = "read_parquet('" + path.replace("'", "''") + "', hive_partitioning = false)"
    database.execute(f"create temp view {name} as select {columns} from {rows}")


def _local_copy(lake: Lake, date: str, folder: Path) -> str:
    path = lake.full_path(lake.table_path(RAW_INVENTORY.name, Partition.of(snapshot_date=date)))
    if lake.is_local:
        return path
    lake.fs.get_file(path, str(folder / "before.parquet"))
    return str(folder / "before.parquet")


_DIGEST = """
select batch, count(*) as row_count, bit_xor(md5_number_lower(concat_ws('/', pmcid, version, etag))) as content
from {} group by batch
"""
_CHANGED_BATCHES = f"""
with digests_after as ({_DIGEST.format("after")}), digests_before as ({_DIGEST.format("before")})
select coalesce(a.batch, b.batch) as batch
from digests_after a full join digests_before b on a.batch = b.batch
where (a.row_count, a.content) is distinct from (b.row_count, b.content)
order by 1
"""
_COUNTS = """
with rows_after as (select * from after where batch in (from concerned)),
    rows_before as (select * from before where batch in (from concerned))
select count(*) filter (b.pmcid is null), count(*) filter (a.etag is distinct from b.etag and a.pmcid = b.pmcid),
    count(*) filter (a.pmcid is null)
from rows_after a full join rows_before b on a.pmcid = b.pmcid and a.version = b.version
"""
