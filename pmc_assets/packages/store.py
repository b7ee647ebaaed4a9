"""Store the packages of one partition: fetch what is missing or changed, keep the rest, publish one index."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa

from pmc_assets.batches import article_order
from pmc_assets.lake import Lake, Partition
from pmc_assets.packages.choose import Keep, choose_media
from pmc_assets.packages.parts import PART_BYTES, PartWriter, next_number
from pmc_assets.packages.stored import (
    Key,
    StoredPackages,
    delete_dead_parts,
    listing_md5,
    lock_name,
    read_stored,
    sibling_partitions,
)
from pmc_assets.rejects import Reject, reject_order, rejects_table
from pmc_assets.results import PREVIEW_ROWS, StageResult, count_reasons
from pmc_assets.schema import CORE_REJECTS, RAW_FILELISTS, RAW_PACKAGES
from pmc_assets.source.source import OfferedFile, Package, PackageFile, PackageRequest, Source

LASTING_REASONS = frozenset({"unsafe_member", "too_large"})

Row = dict[str, Any]
Progress = Callable[[int, int], None]


def store_packages(
    source: Source,
    lake: Lake,
    partition: Partition,
    *,
    keep: Keep = "figures",
    progress: Progress | None = None,
    part_bytes: int = PART_BYTES,
) -> StageResult:
    """Make the stored files of one partition those that its file list offers.

    Only preferred versions; of their media only those that the XML's graphics mean (`keep="figures"`), or all.
    What is stored already, also by a run that was killed, is not fetched again; an article that came from another
    licence group is copied. Parts that no row points at go. `progress` is called with the articles done and of all.
    Shape: sorted by number of PMCID, version, XML first, name. Units: `part_bytes` in bytes.
    """
    with lake.lock(lock_name(partition)), lake.scratch() as folder:
        update = _Update(lake, partition, keep, read_stored(lake, partition))
        for offer in lake.read_table(RAW_FILELISTS, partition).to_pylist():
            update.plan(offer)
        parts = PartWriter(lake, partition, next_number(update.stored.parts), folder, part_bytes)
        wanted = (request for request, _ in update.requests.values())
        packages = source.fetch_packages(wanted, partial(choose_media, keep=keep), update.read_stored, folder)
        for done, package in enumerate(packages, 1):
            update.take(package, parts)
            if progress is not None:
                progress(done, len(update.requests))
        parts.publish()
        result = update.publish()
        delete_dead_parts(lake, partition)
    _release_copied(lake, partition, update.copied_from)
    return result


@dataclass
class _Update:
    """One partition while its packages come in."""

    lake: Lake
    partition: Partition
    keep: Keep
    stored: StoredPackages
    requests: dict[Key, tuple[PackageRequest, str]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    copied_from: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._left_out: dict[Key, list[Reject]] = {}
        for row in self.lake.read_table(CORE_REJECTS, self.partition, stem="packages").to_pylist():
            self._left_out.setdefault((row["pmcid"], row["version"]), []).append(Reject(**row))

    def plan(self, offer: Row) -> None:
        """Decide what to do with one version on offer: leave it out, keep it as it is, or ask for its files."""
        key = (offer["pmcid"], offer["version"])
        if not offer["is_preferred"]:
            self.rejects.append(Reject("packages", "not_preferred", *key))
            return
        digest = listing_md5(offer, self.keep)
        rows, left_out = self.stored.complete_rows(key, digest), self._left_out.get(key, [])
        if rows and all(reject.reason in LASTING_REASONS for reject in left_out):
            self.rows += rows
            self.rejects += left_out
            self.counts["files_kept"] += len(rows)
        else:
            self.requests[key] = (_request(offer, frozenset(self.stored.available(key))), digest)

    def read_stored(self, request: PackageRequest, name: str, md5: str) -> bytes:
        row = self.stored.available((request.pmcid, request.version))[name, md5]
        return self.lake.read_bytes(row["part_path"], row["offset_bytes"], row["size_bytes"])

    def take(self, package: Package, parts: PartWriter) -> None:
        """Append what came to the parts; copy what another group's parts hold."""
        key = (package.pmcid, package.version)
        request, digest = self.requests[key]
        self.rejects += package.rejects
        for file in package.files:
            stored = self.stored.available(key)[file.name, file.md5] if file.content is None else None
            if stored is not None and self.stored.is_own(stored):
                self.rows.append(stored | {"listing_md5": digest})
                self.counts["files_kept"] += 1
                continue
            if stored is not None:
                file = PackageFile(file.name, file.role, file.md5, self.read_stored(request, file.name, file.md5))
                self.copied_from.add(stored["part_path"])
            self.rows.append(parts.append(*key, file, digest))
            self.counts["files_copied" if stored else "files_fetched"] += 1
            self.counts["bytes_fetched"] += 0 if stored else len(file.content or b"")

    def publish(self) -> StageResult:
        table: pa.Table = RAW_PACKAGES.from_rows(sorted(self.rows, key=_row_order))
        left_out = rejects_table(sorted(self.rejects, key=reject_order))
        self.lake.write_rejects("packages", left_out, self.partition)
        written = self.lake.write_table(RAW_PACKAGES, table, self.partition)
        names = ("files_fetched", "files_kept", "files_copied", "bytes_fetched")
        result = StageResult(
            listed=table.num_rows + left_out.num_rows,
            stored=table.num_rows,
            rejected=count_reasons(left_out),
            details={name: self.counts[name] for name in names},
            preview=table.slice(0, PREVIEW_ROWS),
        )
        return result.add_written(written)


def _request(offer: Row, stored: frozenset[tuple[str, str]]) -> PackageRequest:
    media = zip(offer["media_urls"] or [], offer["media_md5s"] or [], strict=True)
    return PackageRequest(
        offer["pmcid"],
        offer["version"],
        xml=_offered(offer["xml_url"], offer["xml_md5"]) if offer["xml_url"] else None,
        media=tuple(sorted((_offered(url, md5) for url, md5 in media), key=lambda file: file.name)),
        package_url=offer["package_url"],
        stored=stored,
    )


def _offered(url: str, md5: str | None) -> OfferedFile:
    return OfferedFile(url.rsplit("/", 1)[-1], url, md5)


def _row_order(row: Row) -> tuple[int, int, bool, str]:
    return *article_order(row["pmcid"], row["version"]), row["role"] != "xml", row["name"]


def _release_copied(lake: Lake, partition: Partition, copied_from: set[str]) -> None:
    """Delete parts of other groups that waited for this one; a group that is being stored does so itself."""
    for sibling in sibling_partitions(partition) if copied_from else ():
        with lake.lock(lock_name(sibling), is_patient=False) as is_held:
            if is_held:
                delete_dead_parts(lake, sibling, only=copied_from)
