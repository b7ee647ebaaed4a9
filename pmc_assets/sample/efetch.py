"""A stand-in for NCBI's EFetch on the loopback: answers the sample's PubMed records the way NCBI does."""

import contextlib
import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from urllib.parse import parse_qs, urlsplit

import pyarrow.compute as pc

RATE_WINDOW_S = 1.0
RETRY_AFTER_S = 2
_HEAD = (
    '<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n'
)
_NO_IDS = (
    b'<?xml version="1.0" ?><eFetchResult><ERROR>ID list is empty! Possibly it has no correct IDs.</ERROR>'
    b"</eFetchResult>"
)


class EFetchStandIn:
    """The server of one records table. `requests` holds the ids of every request served so far, in order.

    `max_per_second` turns on the rate limit: requests over it get 429 with Retry-After.
    """

    def __init__(self, records_path: str, max_per_second: int | None = None) -> None:
        import pyarrow.dataset as ds  # brings pandas

        self.records = ds.dataset(records_path, format="parquet")
        self.max_per_second = max_per_second
        self.requests: list[list[str]] = []
        self.refused = 0
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/entrez/eutils/"

    def __enter__(self) -> "EFetchStandIn":
        threading.Thread(target=self._server.serve_forever, name="efetch", daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, ids: list[str]) -> tuple[int, bytes]:
        """Answer one request: status and body. Unknown ids are left out, equal ids answered once."""
        known = sorted({int(i) for i in ids if re.fullmatch(r"\d{1,18}", i)})
        if not known:
            return 400, _NO_IDS
        rows = self.records.to_table(filter=pc.field("pmid").isin(known), columns=["xml"])
        return 200, f"{_HEAD}<PubmedArticleSet>{''.join(rows['xml'].to_pylist())}</PubmedArticleSet>\n".encode()

    def is_over_rate(self) -> bool:
        """Count one request; True where it is over the limit of the last second."""
        with self._lock:
            now = monotonic()
            while self._recent and now - self._recent[0] > RATE_WINDOW_S:
                self._recent.popleft()
            self._recent.append(now)
            over = self.max_per_second is not None and len(self._recent) > self.max_per_second
            self.refused += over
            return over


@contextlib.contextmanager
def serve_efetch(records_path: str, max_per_second: int | None = None) -> Iterator[str]:
    """Serve a sample's records while the block runs; gives the base URL (ends with a slash) for `efetch.fcgi`."""
    with EFetchStandIn(records_path, max_per_second) as stand_in:
        yield stand_in.base_url


def _handler(stand_in: EFetchStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802
            self._serve(urlsplit(self.path).query)

        def do_POST(self) -> None:  # noqa: N802
            self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

        def _serve(self, query: str) -> None:
            if not urlsplit(self.path).path.endswith("/efetch.fcgi"):
                return self._send(404, b"<html><body>Not Found</body></html>", "text/html")
            if stand_in.is_over_rate():
                body = {"error": "API rate limit exceeded", "count": str(len(stand_in._recent)), "limit": "3"}
                return self._send(429, json.dumps(body).encode(), "application/json")
            ids = [i.strip() for i in ",".join(parse_qs(query).get("id", [])).split(",") if i.strip()]
            stand_in.requests.append(ids)
            self._send(*stand_in.answer(ids), "text/xml; charset=UTF-8")

        def _send(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if status == 429:
                self.send_header("Retry-After", str(RETRY_AFTER_S))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep standard error quiet."""

    return Handler
