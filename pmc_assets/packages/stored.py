"""What the lake has already of one partition's packages, published or left by a run that was killed."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pmc_assets.lake import Lake, Partition
from pmc_assets.licenses import LICENSE_GROUPS
from pmc_assets.packages.parts import find_parts, read_index
from pmc_assets.schema import RAW_FILELISTS, RAW_PACKAGES

Row = dict[str, Any]
Key = tuple[str, int]
Content = tuple[str, str]


@dataclass
class StoredPackages:
    """The files of every article version by name and md5; `published` are the rows of the partition's table.

    A corrected file can be there twice: as published, and as a killed run left it. `moved` are files in the parts of
    the batch's other licence groups: an article that changed its licence.
    """

    folder: str
    files: dict[Key, dict[Content, Row]] = field(default_factory=lambda: defaultdict(dict))
    published: dict[Key, list[Row]] = field(default_factory=lambda: defaultdict(list))
    moved: dict[Key, dict[Content, Row]] = field(default_factory=lambda: defaultdict(dict))
    parts: list[str] = field(default_factory=list)

    def complete_rows(self, key: Key, listing_md5: str) -> list[Row]:
        """Give an article's published rows if all are there and its listing did not change since. Empty: []."""
        rows = self.published.get(key, [])
        is_complete = all(
            row["listing_md5"] == listing_md5 and self.files[key].get(_content(row)) == row for row in rows
        )
        return rows if is_complete else []

    def available(self, key: Key) -> dict[Content, Row]:
        """Give the files of one version that need not be fetched; the partition's own come first."""
        return self.moved.get(key, {}) | self.files.get(key, {})

    def is_own(self, row: Row) -> bool:
        return row["part_path"].startswith(self.folder + "/")


def read_stored(lake: Lake, partition: Partition) -> StoredPackages:
    """Read which files the partition has; a row whose bytes are not there counts for nothing."""
    folder = lake.partition_path(RAW_PACKAGES.name, partition)
    stored = StoredPackages(folder, parts=find_parts(lake, partition))
    size_bytes = {path: lake.size_bytes(path) for path in stored.parts}
    published_parts = set()
    for row in lake.read_table(RAW_PACKAGES, partition).to_pylist():
        key = (row["pmcid"], row["version"])
        stored.published[key].append(row)
        published_parts.add(row["part_path"])
        if row["offset_bytes"] + row["size_bytes"] <= size_bytes.get(row["part_path"], -1):
            stored.files[key][_content(row)] = row
    for path in sorted(set(stored.parts) - published_parts):
        for row in read_index(lake, path):
            stored.files[row["pmcid"], row["version"]].setdefault(_content(row), row)
    for sibling in sibling_partitions(partition):
        for path in find_parts(lake, sibling):
            for row in read_index(lake, path):
                stored.moved[row["pmcid"], row["version"]][_content(row)] = row
    return stored


def _content(row: Row) -> Content:
    return row["name"], row["md5"]


def keys_of(rows: list[Row]) -> set[Key]:
    return {(row["pmcid"], row["version"]) for row in rows}


def lock_name(partition: Partition) -> str:
    return f"packages/{partition.path}"


def sibling_partitions(partition: Partition) -> Iterator[Partition]:
    """Give the cells of the batch's other licence groups."""
    for group in LICENSE_GROUPS:
        if group != partition["license_group"]:
            yield Partition.of(license_group=group, batch=partition["batch"])


def listing_md5(offer: Row, keep: str) -> str:
    """Digest what decides which files of an article are wanted: its row of the file list and the choice `keep`."""
    names = ("xml_url", "xml_md5", "media_urls", "media_md5s", "package_url", "package_updated_at")
    listing = json.dumps([keep, *(offer[name] for name in names)], default=str)
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest()


def delete_dead_parts(lake: Lake, partition: Partition, only: set[str] | None = None) -> None:
    """Delete the parts (of those in `only`) that no row of the published index points at.

    A part that holds an article which now belongs to another group of the batch, and is not stored there yet, stays.
    """
    live = set(lake.read_table(RAW_PACKAGES, partition, columns=["part_path"])["part_path"].to_pylist())
    dead = [path for path in find_parts(lake, partition) if path not in live and (only is None or path in only)]
    awaited = {key for sibling in sibling_partitions(partition) for key in _awaited(lake, sibling)} if dead else set()
    for path in dead:
        if not any((row["pmcid"], row["version"]) in awaited for row in read_index(lake, path)):
            lake.delete(path)


def _awaited(lake: Lake, partition: Partition) -> set[Key]:
    """Name the versions that a file list prefers and the packages do not have."""
    offers = lake.read_table(RAW_FILELISTS, partition, columns=["pmcid", "version", "is_preferred"]).to_pylist()
    rows = lake.read_table(RAW_PACKAGES, partition, columns=["pmcid", "version"]).to_pylist()
    return keys_of([offer for offer in offers if offer["is_preferred"]]) - keys_of(rows)
