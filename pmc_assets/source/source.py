"""What the pipeline asks of a source of articles, however it is laid out. Where answers are stored stays out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from pmc_assets.rejects import Reject
from pmc_assets.schema import UTC
from pmc_assets.source.fetcher import TransferCounts

LISTING_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("pmcid", pa.string()),
        ("version", pa.int32()),
        ("etag", pa.string()),
        ("last_modified_at", UTC),
    ]
)


class UnreadableListing(RuntimeError):
    """The list of what is on offer cannot be read whole; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One day's list of everything on offer.

    `listings` gives tables of LISTING_SCHEMA in any order; a row that cannot be read has a null pmcid.
    Reading them raises UnreadableListing.
    """

    date: str
    listings: Iterable[pa.Table]


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """One article version as the inventory lists it."""

    pmcid: str
    version: int
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class MetadataAnswer:
    """NLM's metadata of one version: `fields` with the keys of NLM's JSON (URLs as sent), or why there is none."""

    listed: ListedVersion
    fields: dict[str, Any] | None = None
    is_missing: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True)
class OfferedFile:
    """One file on offer: its name, where it is, and its md5 (None where the source states none)."""

    name: str
    url: str
    md5: str | None


@dataclass(frozen=True, slots=True)
class PackageRequest:
    """One article version whose files are wanted. `stored` has (name, md5) of files in the lake."""

    pmcid: str
    version: int
    xml: OfferedFile | None
    media: tuple[OfferedFile, ...] = ()
    package_url: str | None = None
    stored: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One file of a package: `content` is None for a file that the lake has already."""

    name: str
    role: str
    md5: str
    content: bytes | None


@dataclass(slots=True)
class Package:
    """The wanted files of one article version, the XML first; and what of it is left out."""

    pmcid: str
    version: int
    files: list[PackageFile] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def reject(self, reason: str, name: str | None = None, detail: str = "") -> None:
        self.rejects.append(Reject("packages", reason, self.pmcid, self.version, name, detail))


ChooseMedia = Callable[[bytes, list[str]], list[str]]
ReadStored = Callable[[PackageRequest, str, str], bytes]
"""Reads a stored file by name and md5."""


class Source(Protocol):
    """A place that offers articles. Everything it raises is an UnreadableListing or named in `source.answers`."""

    url: str
    counts: TransferCounts

    def open_snapshot(self, scratch: Path) -> Snapshot:
        """Give the newest readable list; files that it needs meanwhile go to `scratch`."""
        ...

    def read_metadata(self, listed: Iterable[ListedVersion]) -> Iterator[MetadataAnswer]:
        """Give the metadata of every version, in order."""
        ...

    def fetch_packages(
        self, requests: Iterable[PackageRequest], choose_media: ChooseMedia, read_stored: ReadStored, scratch: Path
    ) -> Iterator[Package]:
        """Give every package, in order; `choose_media` says which names an article's XML asks for."""
        ...

    def close(self) -> None: ...
