"""An EFetch on loopback that keeps what it is asked and commits the faults that a test plans."""

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from pmc_assets.entrez.efetch import Timeouts

SECRET_KEY = "0123456789abcdef0123456789abcdef"
SECRET_EMAIL = "someone.private@example.org"
FAST = Timeouts(connect_s=1.0, read_s=0.3, request_s=2.0, retry_budget_s=6.0, first_backoff_s=0.01)
RATE_LIMIT = b'{"error":"API rate limit exceeded","api-key":"%s","count":"4","limit":"3"}'
HTML = b"<!DOCTYPE html><html><head><title>NCBI - WWW Error</title></head><body>Bad Gateway</body></html>"


def article(pmid: int, title: str = "A title", *, body: str = "", version: int = 1) -> bytes:
    """Write a short PubmedArticle; `body` goes into its Article."""
    return (
        f'<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="{version}">{pmid}</PMID>'
        f'<Article PubModel="Print"><Journal><JournalIssue CitedMedium="Print"><PubDate><Year>2020</Year></PubDate>'
        f"</JournalIssue><Title>Journal</Title></Journal><ArticleTitle>{title}</ArticleTitle>{body}"
        f'<Language>eng</Language><PublicationTypeList><PublicationType UI="D016428">Journal Article'
        f"</PublicationType></PublicationTypeList></Article><MedlineJournalInfo><MedlineTA>J</MedlineTA>"
        f"</MedlineJournalInfo></MedlineCitation></PubmedArticle>"
    ).encode()


def book(pmid: int) -> bytes:
    return (
        f'<PubmedBookArticle><BookDocument><PMID Version="1">{pmid}</PMID><ArticleIdList><ArticleId IdType="pubmed">'
        f"{pmid}</ArticleId></ArticleIdList><Book><Publisher><PublisherName>P</PublisherName></Publisher><BookTitle>B"
        f"</BookTitle><PubDate><Year>2001</Year></PubDate></Book></BookDocument></PubmedBookArticle>"
    ).encode()


def record_set(*records: bytes) -> bytes:
    return (
        b'<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
        b'"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n<PubmedArticleSet>'
        + b"\n".join(records)
        + b"</PubmedArticleSet>"
    )


@dataclass
class Asked:
    """One request as the server saw it."""

    at: float
    method: str
    path: str
    form: dict[str, str]

    @property
    def pmids(self) -> list[int]:
        return [int(pmid) for pmid in self.form["id"].split(",")]


@dataclass
class Eutils:
    """What the server has and has seen. `faults` are committed one a request, in order; a 429 says `retry_after`."""

    url: str = ""
    records: dict[int, bytes] = field(default_factory=dict)
    faults: deque[str] = field(default_factory=deque)
    retry_after: str = "0"
    asked: list[Asked] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    def add(self, *pmids: int) -> None:
        self.records |= {pmid: article(pmid, f"Title of {pmid}") for pmid in pmids}

    def answer(self, pmids: list[int]) -> bytes:
        """Answer as PubMed does: unknown ids are left out, duplicates come once, the order is another."""
        return record_set(*(self.records[pmid] for pmid in sorted(set(pmids), reverse=True) if pmid in self.records))

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class Handler(BaseHTTPRequestHandler):
    """Serves efetch.fcgi and the planned faults."""

    protocol_version = "HTTP/1.1"
    eutils: Eutils

    def do_GET(self) -> None:
        self._serve(self.path.partition("?")[2])

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _serve(self, form: str) -> None:
        fields = {name: values[0] for name, values in parse_qs(form).items()}
        self.eutils.asked.append(Asked(time.monotonic(), self.command, self.path, fields))
        fault = self.eutils.faults.popleft() if self.eutils.faults else ""
        body = self.eutils.answer(self.eutils.asked[-1].pmids)
        key = fields.get("api_key", "127.0.0.1").encode()
        match fault:
            case "":
                self._send(200, body)
            case "429":
                self._send(429, RATE_LIMIT % key, {"Retry-After": self.eutils.retry_after})
            case "rate limit under 200":
                self._send(200, RATE_LIMIT % key)
            case "no summary":
                error = b"<eFetchResult><ERROR> Error occurred: cannot get document summary</ERROR></eFetchResult>"
                self._send(400, error)
            case "empty id list":
                self._send(
                    400, b"<eFetchResult><ERROR>ID list is empty! Possibly no correct IDs</ERROR></eFetchResult>"
                )
            case "bad key":
                self._send(400, b'{"error":"API key invalid","api-key":"%s"}' % key)
            case "bad key in words":
                self._send(400, b"<eFetchResult><ERROR>API key %s is invalid</ERROR></eFetchResult>" % key)
            case "404" | "500" | "502" | "503" | "301":
                self._send(int(fault), HTML, {"Location": "/elsewhere"} if fault == "301" else {})
            case "html under 200":
                self._send(200, HTML)
            case "truncated":
                self._send(200, body[: len(body) // 2])
            case "empty body":
                self._send(200, b"")
            case "cut in mid-body":
                self._send(200, body[: len(body) // 2], {"Content-Length": str(len(body))})
                self.close_connection = True
            case "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True
            case "stall":
                time.sleep(0.8)
                self.close_connection = True
            case _:
                raise AssertionError(f"no such fault: {fault}")

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@contextlib.contextmanager
def serve() -> Iterator[Eutils]:
    """Serve on a free port of loopback."""
    eutils = Eutils()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"eutils": eutils}))
    server.daemon_threads = True
    eutils.server, eutils.url = server, f"http://127.0.0.1:{server.server_port}/entrez/eutils/"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield eutils
    finally:
        eutils.stop()
