"""Store the packages of one partition: fetch what is missing or changed, keep the rest, publish one index."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from pmc_assets.batches import pmcid_number
from pmc_assets.lake import Lake, Partition
from pmc_assets.packages.choose import Keep, choose_media
from pmc_assets.packages.parts import PART_BYTES, PartWriter
from pmc_assets.packages.stored import Key, StoredPackages, listing_md5, read_stored
from pmc_assets.rejects import Reject, rejects_table
from pmc_assets.results import PREVIEW_ROWS, StageResult, count_reasons
from pmc_assets.schema import CORE_REJECTS, RAW_FILELISTS, RAW_PACKAGES
from pmc_assets.source.source import OfferedFile, Package, PackageRequest, Source

LASTING_REASONS = frozenset({"not_preferred", "unsafe_member", "too_large"})

Row = dict[str, Any]
Progress = Callable[[int, int], None]


@dataclass
class _Index:
    """Rows and rejects of one partition while its packages come in."""

    rows: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


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
    What is stored already, also by a run that was killed, is not fetched again; parts that no row points at go.
    `progress` is called with the number of articles done and of all.
    Shape: sorted by number of PMCID, version, XML first, name. Units: `part_bytes` in bytes.
    """
    with lake.lock(f"packages/{partition.path}"), lake.scratch() as folder:
        offers = lake.read_table(RAW_FILELISTS, partition).to_pylist()
        stored = read_stored(lake, partition)
        index = _Index()
        lasting = _lasting_rejects(lake, partition)
        requests: dict[Key, tuple[PackageRequest, str]] = {}
        for offer in offers:
            _plan(offer, stored, lasting, keep, index, requests)
        parts = PartWriter(lake, partition, stored.next_number, folder, part_bytes)
        packages = _fetch(source, lake, stored, requests, keep, folder)
        for done, package in enumerate(packages, 1):
            _take(package, requests[package.pmcid, package.version][1], stored, parts, index)
            if progress is not None:
                progress(done, len(requests))
        parts.publish()
        return _publish(lake, partition, index)


def _plan(
    offer: Row,
    stored: StoredPackages,
    lasting: dict[Key, list[Reject]],
    keep: Keep,
    index: _Index,
    requests: dict[Key, tuple[PackageRequest, str]],
) -> None:
    """Decide what to do with one version on offer: leave it out, keep it as it is, or ask for its files."""
    key = (offer["pmcid"], offer["version"])
    if not offer["is_preferred"]:
        index.rejects.append(Reject("packages", "not_preferred", *key))
        return
    digest = listing_md5(offer, keep)
    rows = stored.complete_rows(key, digest)
    if rows and all(reject.reason in LASTING_REASONS for reject in lasting.get(key, [])):
        index.rows += rows
        index.rejects += lasting.get(key, [])
        index.counts["files_kept"] += len(rows)
    else:
        requests[key] = (_request(offer, stored.files.get(key, {})), digest)


def _request(offer: Row, files: dict[str, Row]) -> PackageRequest:
    media = zip(offer["media_urls"] or [], offer["media_md5s"] or [], strict=True)
    return PackageRequest(
        offer["pmcid"],
        offer["version"],
        xml=_offered(offer["xml_url"], offer["xml_md5"]) if offer["xml_url"] else None,
        media=tuple(sorted((_offered(url, md5) for url, md5 in media), key=lambda file: file.name)),
        package_url=offer["package_url"],
        stored={name: row["md5"] for name, row in files.items()},
    )


def _offered(url: str, md5: str | None) -> OfferedFile:
    return OfferedFile(url.rsplit("/", 1)[-1], url, md5)


def _fetch(
    source: Source,
    lake: Lake,
    stored: StoredPackages,
    requests: dict[Key, tuple[PackageRequest, str]],
    keep: Keep,
    folder: Path,
) -> Iterator[Package]:
    def read(request: PackageRequest, name: str) -> bytes:
        row = stored.files[request.pmcid, request.version][name]
        return lake.read_bytes(row["part_path"], row["offset_bytes"], row["size_bytes"])

    wanted = (request for request, _ in requests.values())
    return source.fetch_packages(wanted, partial(choose_media, keep=keep), read, folder)


def _take(package: Package, digest: str, stored: StoredPackages, parts: PartWriter, index: _Index) -> None:
    key = (package.pmcid, package.version)
    for file in package.files:
        if file.content is None:
            index.rows.append(stored.files[key][file.name] | {"listing_md5": digest})
            index.counts["files_kept"] += 1
        else:
            index.rows.append(parts.append(*key, file, digest))
            index.counts["files_fetched"] += 1
            index.counts["bytes_fetched"] += len(file.content)
    index.rejects += package.rejects


def _lasting_rejects(lake: Lake, partition: Partition) -> dict[Key, list[Reject]]:
    """Read what the last run left out of each article."""
    rejects: dict[Key, list[Reject]] = {}
    for row in lake.read_table(CORE_REJECTS, partition, stem="packages").to_pylist():
        reject = Reject(**row)
        rejects.setdefault((row["pmcid"], row["version"]), []).append(reject)
    return rejects


def _publish(lake: Lake, partition: Partition, index: _Index) -> StageResult:
    table: pa.Table = RAW_PACKAGES.from_rows(
        sorted(index.rows, key=lambda r: (pmcid_number(r["pmcid"]), r["version"], r["role"] != "xml", r["name"]))
    )
    left_out = rejects_table(
        sorted(index.rejects, key=lambda r: (pmcid_number(r.pmcid or "PMC0"), r.version or 0, r.name or ""))
    )
    lake.write_rejects("packages", left_out, partition)
    written = lake.write_table(RAW_PACKAGES, table, partition)
    delete_dead_parts(lake, partition)
    result = StageResult(
        listed=table.num_rows + left_out.num_rows,
        stored=table.num_rows,
        rejected=count_reasons(left_out),
        details={name: index.counts[name] for name in ("files_fetched", "files_kept", "bytes_fetched")},
        preview=table.slice(0, PREVIEW_ROWS),
    )
    return result.add_written(written)


def delete_dead_parts(lake: Lake, partition: Partition) -> None:
    """Delete the parts that no row of the published index points at."""
    live = set(lake.read_table(RAW_PACKAGES, partition, columns=["part_path"])["part_path"].to_pylist())
    for path in lake.find(lake.partition_path(RAW_PACKAGES.name, partition), ".tar"):
        if path not in live:
            lake.delete(path)
