"""NLM's bucket layout: inventory, metadata JSON, and one object per file."""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from pmc_assets.source import snapshots
from pmc_assets.source.answers import Missing, NotGiven, md5_of
from pmc_assets.source.fetcher import Fetcher
from pmc_assets.source.source import (
    ChooseMedia,
    ListedVersion,
    MetadataAnswer,
    OfferedFile,
    Package,
    PackageFile,
    PackageRequest,
    ReadStored,
    Snapshot,
)

_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/]+/(?P<key>.+)", re.DOTALL)


class BucketSource:
    """The bucket `pmc-oa-opendata` or anything with its layout; URLs in the metadata are keys under its root."""

    def __init__(self, fetcher: Fetcher) -> None:
        self.url = fetcher.transport.url
        self.counts = fetcher.counts
        self._fetcher = fetcher

    def open_snapshot(self, scratch: Path) -> Snapshot:
        return snapshots.open_snapshot(self._fetcher, scratch)

    def read_metadata(self, listed: Iterable[ListedVersion]) -> Iterator[MetadataAnswer]:
        return self._fetcher.in_order(self._read_one, listed)

    async def _read_one(self, listed: ListedVersion) -> MetadataAnswer:
        key = f"metadata/{listed.pmcid}.{listed.version}.json"
        try:
            copy = f"{listed.pmcid}.{listed.version}/{listed.pmcid}.{listed.version}.json"
            body = await self._fetcher.get(key, listed.etag, accept_newer=True, witness=copy)
            fields = json.loads(body.content)
        except Missing:
            return MetadataAnswer(listed, is_missing=True)
        except (NotGiven, ValueError, RecursionError) as error:
            return MetadataAnswer(listed, fault=f"{type(error).__name__}: {error}")
        is_named_so = isinstance(fields, dict) and (fields.get("pmcid"), fields.get("version")) == (
            listed.pmcid,
            listed.version,
        )
        return MetadataAnswer(listed, fields) if is_named_so else MetadataAnswer(listed, fault="another article's")

    def fetch_packages(
        self, requests: Iterable[PackageRequest], choose_media: ChooseMedia, read_stored: ReadStored, scratch: Path
    ) -> Iterator[Package]:
        return self._fetcher.in_order(partial(fetch_loose_package, self._fetcher, choose_media, read_stored), requests)

    def close(self) -> None:
        self._fetcher.close()


async def fetch_loose_package(
    fetcher: Fetcher, choose_media: ChooseMedia, read_stored: ReadStored, request: PackageRequest
) -> Package:
    """Fetch the article's XML, then at once all media that it asks for; each file is an object of its own."""
    package = Package(request.pmcid, request.version)
    if request.xml is None:
        package.reject("xml_missing", detail="the metadata offers no XML")
        return package
    xml = await _fetch_file(fetcher, package, request, request.xml, "xml")
    if xml is None:
        return package
    content = xml.content
    if content is None:
        content = await asyncio.to_thread(read_stored, request, xml.name, xml.md5)
    by_name = {file.name: file for file in request.media}
    chosen = [by_name[name] for name in await asyncio.to_thread(choose_media, content, list(by_name))]
    media = await asyncio.gather(*(_fetch_file(fetcher, package, request, file, "media") for file in chosen))
    package.files = [xml, *(file for file in media if file is not None)]
    package.rejects.sort(key=lambda reject: reject.name or "")
    return package


async def _fetch_file(
    fetcher: Fetcher, package: Package, request: PackageRequest, file: OfferedFile, role: str
) -> PackageFile | None:
    if file.md5 is not None and (file.name, file.md5) in request.stored:
        return PackageFile(file.name, role, file.md5, None)
    try:
        witness = f"metadata/{request.pmcid}.{request.version}.json"
        body = await fetcher.get(key_of(file.url), file.md5, witness=witness)
        return PackageFile(file.name, role, file.md5 or md5_of(body.content), body.content)
    except NotGiven as error:
        package.reject(error.reason or f"{role}_missing", file.name, str(error))
    return None


def key_of(url: str) -> str:
    """Give the key under the root of a source: `s3://pmc-oa-opendata/<key>` without the bucket; a bare key stays."""
    match = _URL.fullmatch(url)
    return match["key"] if match else url
