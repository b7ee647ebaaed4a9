"""The bucket's inventory: its manifest and its CSV shards, verified and read by the stated columns."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.compute as pc
from isal import igzip, isal_zlib

from pmc_assets.batches import PMCID
from pmc_assets.source.answers import Missing, NotGiven
from pmc_assets.source.csv_rows import parse_times, read_csv
from pmc_assets.source.fetcher import MD5, Fetcher
from pmc_assets.source.source import LISTING_SCHEMA, Snapshot, UnreadableListing

INVENTORY_FOLDER = "inventory-reports/pmc-oa-opendata/metadata"
KEY_PATTERN = rf"^metadata/(?P<pmcid>{PMCID})\.(?P<version>[1-9][0-9]{{0,5}})\.json$"


class InventoryUnreadable(UnreadableListing):
    """No whole inventory can be read; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One inventory's description: its day, its columns, its shards as (key, md5)."""

    date: str
    columns: tuple[str, ...]
    shards: tuple[tuple[str, str], ...]


def open_snapshot(fetcher: Fetcher, scratch: Path) -> Snapshot:
    """Fetch and verify the newest inventory that has a manifest.

    Source: S3 Inventory, `manifest.json` and CSV shards. Raises: InventoryUnreadable.
    """
    manifest = newest_manifest(fetcher)
    shards = [_fetch_shard(fetcher, manifest, number, scratch) for number in range(len(manifest.shards))]
    return Snapshot(manifest.date, _read_shards(shards, manifest.columns))


def newest_manifest(fetcher: Fetcher) -> Manifest:
    """Read the newest manifest, going back over days whose manifest is missing or cut off."""
    place = f"{fetcher.transport.url}/{INVENTORY_FOLDER}"
    try:
        days = [day for day in fetcher.call(fetcher.list_names(INVENTORY_FOLDER)) if day[:4].isdigit()]
        for day in reversed(days):
            try:
                body = fetcher.call(fetcher.get(f"{INVENTORY_FOLDER}/{day}/manifest.json"))
                return parse_manifest(body.content, day[:10])
            except (Missing, ValueError):
                continue
    except NotGiven as error:
        raise InventoryUnreadable(f"{place} cannot be read ({error}): is PMC_SOURCE right?") from error
    raise InventoryUnreadable(
        f"{place} has no readable manifest in {len(days)} folders of days: is PMC_SOURCE the root of the bucket?"
    )


def parse_manifest(content: bytes, date: str) -> Manifest:
    """Read a manifest. Raises: ValueError where it is cut off or describes something else."""
    try:
        manifest = json.loads(content)
        if manifest["fileFormat"] != "CSV":
            raise ValueError(f"inventory is {manifest['fileFormat']}, not CSV")
        columns = tuple(name.strip() for name in manifest["fileSchema"].split(","))
        shards = tuple((str(f["key"]), str(f["MD5checksum"]).lower()) for f in manifest["files"])
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"manifest lacks {error}") from error
    if not {"Key", "ETag"} <= set(columns):
        raise ValueError(f"inventory has no Key or ETag among its columns {columns}")
    if not all(MD5.fullmatch(md5) for _, md5 in shards):
        raise ValueError("manifest states no md5 of a shard")
    return Manifest(date, columns, shards)


def _fetch_shard(fetcher: Fetcher, manifest: Manifest, number: int, scratch: Path) -> Path:
    key, md5 = manifest.shards[number]
    try:
        body = fetcher.call(fetcher.get(key, md5))
    except NotGiven as error:
        raise InventoryUnreadable(
            f"inventory of {manifest.date} is not whole: shard {key}: {error}; nothing was changed, run again later"
        ) from error
    path = scratch / f"shard-{number}.csv.gz"
    path.write_bytes(body.content)
    return path


def _read_shards(shards: list[Path], columns: tuple[str, ...]) -> Iterator[pa.Table]:
    for path in shards:
        try:
            with igzip.open(path, "rb") as file:
                yield from read_shard(cast(IO[bytes], file), columns)
        except (EOFError, OSError, isal_zlib.IsalError, pa.ArrowInvalid) as error:  # type: ignore[misc]
            raise InventoryUnreadable(f"inventory shard cannot be read: {error}; nothing was changed") from error


def read_shard(file: IO[bytes], columns: tuple[str, ...]) -> Iterator[pa.Table]:
    """Read one shard's CSV as tables of LISTING_SCHEMA, block by block; a row that cannot be read has a null pmcid.

    Empty: no table for an empty shard.
    """
    for rows in read_csv(file, columns, ("Key", "ETag", "LastModifiedDate"), unreadable_into="Key"):
        yield _listing(rows)


def _listing(rows: pa.Table) -> pa.Table:
    key = pc.replace_substring(rows["Key"], "%2F", "/")
    parts = pc.extract_regex(key, KEY_PATTERN)
    columns = {
        "key": key,
        "pmcid": pc.struct_field(parts, "pmcid"),
        "version": pc.struct_field(parts, "version").cast(pa.int32()),
        "etag": pc.utf8_trim(rows["ETag"], '"'),
        "last_modified_at": parse_times(rows["LastModifiedDate"]),
    }
    return pa.table(columns, schema=LISTING_SCHEMA)
