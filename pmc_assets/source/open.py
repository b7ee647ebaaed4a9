"""Open a source by its URL: which layout it has, and the fastest transport for its scheme."""

import re
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pmc_assets.source.bucket import BucketSource
from pmc_assets.source.fetcher import ATTEMPTS, FIRST_WAIT_S, MAX_FILE_BYTES, Fetcher
from pmc_assets.source.legacy import LegacySource
from pmc_assets.source.legacy_lists import LIST_NAMES, is_list_name
from pmc_assets.source.source import Source
from pmc_assets.source.transport import USER_AGENT, FsspecTransport, Transport

CONNECTIONS = 64
BUDGET_S = 300.0
TIMEOUT_S = 30.0
BUCKET_HOSTS = ("https://pmc-oa-opendata.s3.", "https://storage.googleapis.com/")
HTTP_ROOTS = {"s3": "https://{bucket}.s3.amazonaws.com", "gs": "https://storage.googleapis.com/{bucket}"}


def open_source(
    url: str,
    *,
    connections: int = CONNECTIONS,
    budget_s: float = BUDGET_S,
    timeout_s: float = TIMEOUT_S,
    attempts: int = ATTEMPTS,
    first_wait_s: float = FIRST_WAIT_S,
    max_file_bytes: int = MAX_FILE_BYTES,
    endpoint_url: str | None = None,
    user_agent: str = USER_AGENT,
) -> Source:
    """Open a source: s3:// (anonymous), gs://, https://, http://, file:// or a folder.

    A URL that names a file list, or a root that has one, is read as the legacy layout, all others as NLM's bucket.
    `budget_s` is how long it may go, in all, without a good answer, `timeout_s` how long one answer may stand still,
    `endpoint_url` another S3 server than Amazon's.
    """
    root, list_name = _split_list(url)
    fetcher = Fetcher(
        open_transport(root, connections, timeout_s, endpoint_url, user_agent),
        connections=connections,
        budget_s=budget_s,
        attempts=attempts,
        first_wait_s=first_wait_s,
        max_file_bytes=max_file_bytes,
    )
    try:
        is_legacy = bool(list_name) or _has_list(fetcher)
    except BaseException:
        fetcher.close()
        raise
    if is_legacy:
        return LegacySource(fetcher, list_name, Path(tempfile.mkdtemp(prefix="pmc-lists-")))
    return BucketSource(fetcher)


def _split_list(url: str) -> tuple[str, str]:
    """Split `<root>/oa_file_list.csv` into root and list; the list is "" for a URL that names none."""
    root, _, name = url.rstrip("/").rpartition("/")
    return (root, name) if is_list_name(name) else (url, "")


def _has_list(fetcher: Fetcher) -> bool:
    """Look for file lists under a root: by listing a folder, by name on a server; NLM's bucket and gs have none."""
    transport = fetcher.transport
    if isinstance(transport, FsspecTransport):
        return any(is_list_name(name) for name in fetcher.call(fetcher.list_names("")))
    is_bucket = transport.url.startswith(BUCKET_HOSTS)
    return not is_bucket and any(fetcher.call(fetcher.exists(name)) for name in LIST_NAMES)


def open_transport(
    url: str, connections: int, timeout_s: float, endpoint_url: str | None = None, user_agent: str = USER_AGENT
) -> Transport:
    """Choose the transport of a URL: plain HTTP with keep-alive for s3, gs and http(s), fsspec for all others.

    Raises: ValueError for a URL without host or bucket, or of a scheme that fsspec does not know.
    """
    parts = urlsplit(url)
    if parts.scheme in {"http", "https", *HTTP_ROOTS} and not parts.netloc:
        raise ValueError(f"{url!r} names no host or bucket: PMC_SOURCE is like s3://pmc-oa-opendata")
    if parts.scheme in {"http", "https", *HTTP_ROOTS}:
        from pmc_assets.source.http import HttpTransport  # aiohttp takes a tenth of the time that definitions load

        if parts.scheme not in HTTP_ROOTS:
            return HttpTransport(url, connections, timeout_s, user_agent)
        root = f"{endpoint_url.rstrip('/')}/{parts.netloc}" if endpoint_url else _http_root(parts.scheme, parts.netloc)
        return HttpTransport(root, connections, timeout_s, user_agent, prefix=parts.path)
    if parts.scheme == "file":
        return FsspecTransport(unquote(url), connections)
    return FsspecTransport(url if re.match(r"[a-z0-9+]+:", url) else f"file://{url}", connections)


def _http_root(scheme: str, bucket: str) -> str:
    """Give a bucket's HTTPS root; one with dots in its name goes into the path, where TLS does not mind."""
    if scheme == "s3" and "." in bucket:
        return f"https://s3.amazonaws.com/{bucket}"
    return HTTP_ROOTS[scheme].format(bucket=bucket)
