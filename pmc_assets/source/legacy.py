"""The legacy layout: a folder with old file lists, and tarballs of one article each."""

import asyncio
from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pmc_assets.batches import PMCID
from pmc_assets.source.answers import Missing, NotGiven, md5_of
from pmc_assets.source.archives import BadArchive, Unpacked, unpack_article
from pmc_assets.source.bucket import fetch_loose_package
from pmc_assets.source.csv_rows import parse_time, parse_times
from pmc_assets.source.fetcher import Fetcher
from pmc_assets.source.legacy_lists import (
    LIST_NAMES,
    VERSION,
    UnreadableFileList,
    first_line,
    is_bulk_list,
    is_list_name,
    is_retracted,
    metadata_fields,
    read_list,
    row_etags,
)
from pmc_assets.source.source import (
    LISTING_SCHEMA,
    ChooseMedia,
    ListedVersion,
    MetadataAnswer,
    Package,
    PackageFile,
    PackageRequest,
    ReadStored,
    Snapshot,
)

MAX_TARBALL_BYTES = 2 * 2**30


class LegacySource:
    """File lists and `oa_package` tarballs under one root; read only, kept for archive copies."""

    def __init__(self, fetcher: Fetcher, list_name: str, cache: Path) -> None:
        self.url = fetcher.transport.url
        self.counts = fetcher.counts
        self._fetcher, self._list_name, self._cache = fetcher, list_name, cache
        self._numbers = count()

    # -- lists ----------------------------------------------------------------------------------------------------

    def open_snapshot(self, scratch: Path) -> Snapshot:
        lists = self._listing_files()
        return Snapshot(_date(lists), (_listing(rows) for path in lists for rows in read_list(path)))

    def read_metadata(self, listed: Iterable[ListedVersion]) -> Iterator[MetadataAnswer]:
        wanted = list(listed)
        rows = self._rows({version.pmcid: version.etag for version in wanted})
        for version in wanted:
            row = rows.get(version.pmcid)
            if row is None or version.version != VERSION:
                yield MetadataAnswer(version, is_missing=True)
            else:
                yield MetadataAnswer(version, metadata_fields(row))

    def _rows(self, etags: dict[str, str | None]) -> dict[str, dict]:
        """Read the rows of some articles; of several the one that the inventory has, which is the newest.

        A bulk list beside the list of tarballs adds its retractions.
        """
        rows: dict[str, dict] = {}
        listing = self._listing_files()
        for path in listing:
            for row in _rows_of(path, etags):
                if row["pmcid"] not in rows or row["etag"] == etags[row["pmcid"]]:
                    rows[row["pmcid"]] = row
        for path in self._all_files:
            for row in _rows_of(path, rows) if path not in listing else ():
                if is_retracted(row):
                    rows[row["pmcid"]]["retracted"] = row["retracted"]
        return rows

    def _listing_files(self) -> list[Path]:
        """Give the lists that say what is on offer: those of tarballs, else the bulk lists."""
        files = self._all_files
        return [path for path in files if not is_bulk_list(path)] or files

    @cached_property
    def _all_files(self) -> list[Path]:
        """Fetch the lists once; they stay beside the process while the source is open."""
        names = [self._list_name] if self._list_name else self._fetcher.call(self._fetcher.list_names(""))
        names = [name for name in names if is_list_name(name)]
        csv = [name for name in names if ".csv" in name.lower()]
        for name in csv or names:
            try:
                self._fetcher.call(self._fetcher.get(name, into=self._cache / name, max_bytes=MAX_TARBALL_BYTES))
            except NotGiven as error:
                raise UnreadableFileList(f"{self.url}/{name} cannot be read ({error}): is PMC_SOURCE right?") from error
        if not names:
            raise UnreadableFileList(f"{self.url} has no oa_file_list.csv or other file list")
        return [self._cache / name for name in csv or names]

    # -- packages -------------------------------------------------------------------------------------------------

    def fetch_packages(
        self, requests: Iterable[PackageRequest], choose_media: ChooseMedia, read_stored: ReadStored, scratch: Path
    ) -> Iterator[Package]:
        return self._fetcher.in_order(partial(self._fetch_package, choose_media, read_stored, scratch), requests)

    async def _fetch_package(
        self, choose_media: ChooseMedia, read_stored: ReadStored, scratch: Path, request: PackageRequest
    ) -> Package:
        if request.package_url is None:
            return await fetch_loose_package(self._fetcher, choose_media, read_stored, request)
        package = Package(request.pmcid, request.version)
        path = scratch / f"package-{next(self._numbers)}.tar.gz"
        try:
            witness = self._list_name or LIST_NAMES[0]
            await self._fetcher.get(request.package_url, into=path, max_bytes=MAX_TARBALL_BYTES, witness=witness)
            limit = self._fetcher.max_file_bytes
            unpacked = await asyncio.to_thread(unpack_article, path, choose_media, limit)
            _take(package, unpacked, request)
            self._fetcher.hold(sum(len(file.content or b"") for file in package.files))
        except Missing as error:
            package.reject("xml_missing", detail=f"no tarball {request.package_url}: {error}")
        except BadArchive as error:
            package.reject("bad_archive", detail=f"{request.package_url}: {error}")
        except NotGiven as error:
            package.reject(error.reason, detail=f"{request.package_url}: {error}")
        finally:
            path.unlink(missing_ok=True)
        return package

    def close(self) -> None:
        self._fetcher.close()
        for path in self._cache.iterdir():
            path.unlink()
        self._cache.rmdir()


def _take(package: Package, unpacked: Unpacked, request: PackageRequest) -> None:
    """Turn the members into files, those that the lake has already without their bytes."""
    for name, role, content in [
        (unpacked.xml_name, "xml", unpacked.xml),
        *((name, "media", content) for name, content in unpacked.media.items()),
    ]:
        md5 = md5_of(content)
        is_stored = (name, md5) in request.stored
        package.files.append(PackageFile(name, role, md5, None if is_stored else content))
    for name, reason, detail in unpacked.left_out:
        package.reject(reason, name, detail)


def _rows_of(path: Path, pmcids: Iterable[str]) -> Iterator[dict]:
    """Read the rows of some articles that name a file, each with its `etag`."""
    wanted = pa.array(sorted(pmcids), pa.string())
    for rows in read_list(path):
        some = rows.filter(pc.and_(pc.is_in(rows["pmcid"], wanted), pc.is_valid(rows["path"])))
        yield from some.append_column("etag", pa.array(row_etags(some), pa.string())).to_pylist()


def _listing(rows: pa.Table) -> pa.Table:
    """Give rows as a listing; one without a PMCID or a file cannot be read."""
    is_readable = pc.and_(pc.match_substring_regex(rows["pmcid"], f"^{PMCID}$"), pc.is_valid(rows["path"]))
    columns = {
        "key": pc.coalesce(rows["pmcid"], rows["path"], rows["citation"]),
        "pmcid": pc.if_else(pc.fill_null(is_readable, False), rows["pmcid"], None),
        "version": pa.array([VERSION] * rows.num_rows, pa.int32()),
        "etag": pa.array(row_etags(rows), pa.string()),
        "last_modified_at": parse_times(rows["updated"]),
    }
    return pa.table(columns, schema=LISTING_SCHEMA)


def _date(lists: list[Path]) -> str:
    """Date a list by its newest row, a `.txt` by its first line."""
    newest = None
    for path in lists:
        of_list = [parse_time(first_line(path)[:10]) if ".txt" in path.name.lower() else None]
        of_list += [pc.max(parse_times(rows["updated"])).as_py() for rows in read_list(path)]
        newest = max((time for time in (newest, *of_list) if time is not None), default=None)
    if newest is None:
        raise UnreadableFileList(f"{lists[0].name} states no date; nothing was changed")
    return newest.date().isoformat()
