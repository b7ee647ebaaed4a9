"""Objects by plain HTTP with keep-alive: https roots, and the public HTTPS face of s3 and gs buckets."""

import asyncio
import io
import re
from pathlib import Path
from urllib.parse import quote, unquote

import aiohttp
from lxml import etree, html
from yarl import URL

from pmc_assets.http_faults import TransientFault, is_passing, retry_after_s
from pmc_assets.source.answers import GONE_STATUSES, Body, Missing, Refused
from pmc_assets.source.transport import USER_AGENT, Admit, open_own, safe_key

CONNECT_TIMEOUT_S = 10.0
SLOWEST_BYTES_PER_S = 32 * 1024
PIECE_BYTES = 2**20
PASSING_S3_ERRORS = re.compile(rb"<Code>(RequestTimeout|SlowDown|InternalError)</Code>")


class HttpTransport:
    """One keep-alive pool of at most `connections` connections to one root: `url`, or a `prefix` of that bucket."""

    def __init__(
        self, url: str, connections: int, timeout_s: float, user_agent: str = USER_AGENT, prefix: str = ""
    ) -> None:
        self._bucket_url, self._prefix = url.rstrip("/"), prefix.strip("/")
        self.url = f"{self._bucket_url}/{quote(self._prefix, safe='/')}".rstrip("/")
        self._connections, self._timeout_s, self._user_agent = connections, timeout_s, user_agent
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, ttl_dns_cache=300, keepalive_timeout=60),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=self._timeout_s),
                headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
                auto_decompress=False,
            )
        return self._session

    async def get(self, key: str, admit: Admit, into: Path | None = None) -> Body:
        return await self._get(f"{self.url}/{quote(safe_key(key), safe='/')}", admit, into)

    async def exists(self, key: str) -> bool:
        """Ask for the object and hang up before its body."""
        try:
            await self._get(f"{self.url}/{quote(safe_key(key), safe='/')}", _admit_nothing)
        except (Missing, Refused):
            return False
        except _NotWanted:
            pass
        return True

    async def _get(self, url: str, admit: Admit, into: Path | None = None) -> Body:
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._open().get(URL(url, encoded=True))
            async with response:
                await _check_status(response)
                await admit(response.content_length or 0)
                content = await self._read(response, admit, into)
                return Body(content, response.headers.get("ETag", "").removeprefix("W/").strip('"'))
        except TimeoutError as error:
            raise TransientFault("time-out") from error
        except aiohttp.InvalidURL as error:
            raise Refused(f"not a URL: {url}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise TransientFault(f"{type(error).__name__}: {error}") from error

    async def _read(self, response: aiohttp.ClientResponse, admit: Admit, into: Path | None) -> bytes:
        """Read a body into memory or a file; one of undeclared length is admitted, and given time, as it comes."""
        loop, size_bytes = asyncio.get_running_loop(), response.content_length
        started = loop.time()
        async with asyncio.timeout(self._timeout_s + (size_bytes or 0) / SLOWEST_BYTES_PER_S) as limit:
            if into is None and size_bytes is not None:
                return await response.read()
            with io.BytesIO() if into is None else open_own(into) as file:
                async for piece in response.content.iter_chunked(PIECE_BYTES):
                    file.write(piece)
                    if size_bytes is None:
                        await admit(file.tell())
                        limit.reschedule(started + self._timeout_s + file.tell() / SLOWEST_BYTES_PER_S)
                return file.getvalue() if isinstance(file, io.BytesIO) else b""

    async def list_names(self, folder: str) -> list[str]:
        """List by S3's ListObjectsV2; a plain web server's index page is read instead where it is no S3."""
        names: set[str] = set()
        prefix = "".join(f"{part}/" for part in (self._prefix, folder) if part)
        token: str | None = ""
        while token is not None:
            query = f"list-type=2&prefix={quote(prefix, safe='')}&delimiter=%2F"
            query += f"&continuation-token={quote(token, safe='')}" if token else ""
            try:
                body = await self._get(f"{self._bucket_url}/?{query}", _admit_all)
            except Missing:
                return await self._list_index_page(folder)
            if b"ListBucketResult" not in body.content[:1000]:
                return await self._list_index_page(folder)
            page = _listing_page(body.content)
            found = [key.text or "" for key in page.iterfind("{*}Contents/{*}Key")]
            found += [prefix.text or "" for prefix in page.iterfind("{*}CommonPrefixes/{*}Prefix")]
            names.update(key.rstrip("/").rsplit("/", 1)[-1] for key in found)
            token = page.findtext("{*}NextContinuationToken")
        return sorted(names)

    async def _list_index_page(self, folder: str) -> list[str]:
        try:
            body = await self._get(f"{self.url}/{quote(folder, safe='/')}/", _admit_all)
        except Missing:
            return []
        links = [link for _, _, link, _ in html.iterlinks(body.content)] if body.content.strip() else []
        names = {unquote(link.split("?")[0]).rstrip("/").rsplit("/", 1)[-1] for link in links}
        return sorted(names - {"", ".", ".."})

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class _NotWanted(Exception):
    """The object is there, and nobody wants its bytes."""


async def _admit_nothing(size_bytes: int) -> None:
    raise _NotWanted


async def _admit_all(size_bytes: int) -> None:
    return None


def _listing_page(content: bytes) -> etree._Element:
    try:
        return etree.fromstring(content, etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError as error:
        raise TransientFault(f"a listing that is cut off: {error}") from error


async def _check_status(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if status == 200:
        return
    if status in GONE_STATUSES:
        raise Missing(f"HTTP {status}")
    start = await response.content.read(2_000)
    if is_passing(status) or PASSING_S3_ERRORS.search(start):
        raise TransientFault(f"HTTP {status}", retry_after_s(response.headers))
    raise Refused(f"HTTP {status}")
