"""Open a source by its URL: which layout it has, and the fastest transport for its scheme."""

import re
from urllib.parse import urlsplit

from pmc_assets.source.bucket import BucketSource
from pmc_assets.source.fetcher import ATTEMPTS, FIRST_WAIT_S, MAX_FILE_BYTES, Fetcher
from pmc_assets.source.http import USER_AGENT, HttpTransport
from pmc_assets.source.source import Source
from pmc_assets.source.transport import FsspecTransport, Transport

CONNECTIONS = 64
BUDGET_S = 300.0
TIMEOUT_S = 30.0
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

    `budget_s` is how long it may go without one good answer, `timeout_s` how long one answer may stand still,
    `endpoint_url` another S3 server than Amazon's.
    """
    fetcher = Fetcher(
        open_transport(url, connections, timeout_s, endpoint_url, user_agent),
        connections=connections,
        budget_s=budget_s,
        attempts=attempts,
        first_wait_s=first_wait_s,
        max_file_bytes=max_file_bytes,
    )
    return BucketSource(fetcher)


def open_transport(
    url: str, connections: int, timeout_s: float, endpoint_url: str | None = None, user_agent: str = USER_AGENT
) -> Transport:
    """Choose the transport of a URL: plain HTTP with keep-alive for s3, gs and http(s), fsspec for all others."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"}:
        return HttpTransport(url, connections, timeout_s, user_agent)
    if parts.scheme in HTTP_ROOTS:
        root = f"{endpoint_url.rstrip('/')}/{parts.netloc}" if endpoint_url else _http_root(parts.scheme, parts.netloc)
        return HttpTransport(f"{root}{parts.path}", connections, timeout_s, user_agent)
    return FsspecTransport(url if re.match(r"[a-z0-9+]+:", url) else f"file://{url}", connections)


def _http_root(scheme: str, bucket: str) -> str:
    """Give a bucket's HTTPS root; one with dots in its name goes into the path, where TLS does not mind."""
    if scheme == "s3" and "." in bucket:
        return f"https://s3.amazonaws.com/{bucket}"
    return HTTP_ROOTS[scheme].format(bucket=bucket)
