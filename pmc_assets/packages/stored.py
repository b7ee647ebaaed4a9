"""What the lake has already of one partition's packages, published or left by a run that was killed."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from pmc_assets.lake import Lake, Partition
from pmc_assets.packages.parts import part_number, read_index
from pmc_assets.schema import RAW_PACKAGES

Row = dict[str, Any]
Key = tuple[str, int]


@dataclass
class StoredPackages:
    """The files of every article version by name; `published` are the rows of the partition's table."""

    files: dict[Key, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    published: dict[Key, list[Row]] = field(default_factory=lambda: defaultdict(list))
    parts: list[str] = field(default_factory=list)

    @property
    def next_number(self) -> int:
        return max((part_number(path) for path in self.parts), default=-1) + 1

    def complete_rows(self, key: Key, listing_md5: str) -> list[Row]:
        """Give an article's published rows if all are there and its listing did not change since. Empty: []."""
        rows = self.published.get(key, [])
        is_complete = all(row["listing_md5"] == listing_md5 and self.files[key].get(row["name"]) == row for row in rows)
        return rows if is_complete else []


def read_stored(lake: Lake, partition: Partition) -> StoredPackages:
    """Read which files the partition has; a row whose bytes are not there counts for nothing."""
    stored = StoredPackages()
    stored.parts = lake.find(lake.partition_path(RAW_PACKAGES.name, partition), ".tar")
    size_bytes = {path: lake.size_bytes(path) for path in stored.parts}
    published_parts = set()
    for row in lake.read_table(RAW_PACKAGES, partition).to_pylist():
        key = (row["pmcid"], row["version"])
        stored.published[key].append(row)
        published_parts.add(row["part_path"])
        if row["offset_bytes"] + row["size_bytes"] <= size_bytes.get(row["part_path"], -1):
            stored.files[key][row["name"]] = row
    for path in sorted(set(stored.parts) - published_parts):
        for row in read_index(lake, path):
            stored.files[row["pmcid"], row["version"]].setdefault(row["name"], row)
    return stored


def listing_md5(offer: Row, keep: str) -> str:
    """Digest what decides which files of an article are wanted: its row of the file list and the choice `keep`."""
    names = ("xml_url", "xml_md5", "media_urls", "media_md5s", "package_url", "package_updated_at")
    listing = json.dumps([keep, *(offer[name] for name in names)], default=str)
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest()
