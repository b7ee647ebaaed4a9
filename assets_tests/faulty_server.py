"""A local server of a bucket that is slow and fails on demand, and counts what it was asked for.

In tests: `with serve(root, fault_share=0.2) as server`. In its own process, `faulty_server.py ROOT --latency-s 0.08`
prints its URL and serves until its standard input closes; `GET /-/counts` tells the counts.
"""

import argparse
import asyncio
import contextlib
import json
import random
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

FAULTS = ("429", "503", "500", "reset", "truncated", "wrong_bytes", "stall")
REASONS = {200: "OK", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}
SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"
HELD_POLL_S = 0.05
NO_SUCH_KEY = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>"


@dataclass
class Behaviour:
    """What the server does: may be changed while it runs.

    `always` answers a key in one way for ever: a status, a fault by name, or `chunked`: whole, of undeclared length.
    `fault_share` of all requests fail. Lists of names are asked of `bucket`, the path below which keys are.
    GETs of keys that end in one of `held` wait until it is changed.
    """

    latency_s: float = 0.0
    fault_share: float = 0.0
    faults: tuple[str, ...] = FAULTS
    seed: int = 0
    retry_after: str = "0"
    always: dict[str, str] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    bucket: str = ""


class FaultyServer:
    """Serves the files below `root` as objects of a bucket; counts requests, good answers and faults by key."""

    def __init__(self, root: Path, behaviour: Behaviour) -> None:
        self.root, self.behaviour = root, behaviour
        self.requests: Counter[str] = Counter()
        self.good: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.waiting: set[str] = set()
        self.kinds: Counter[str] = Counter()
        self.open_connections = self.most_connections = 0
        self.url = ""
        self._random = random.Random(behaviour.seed)

    def forget(self) -> None:
        """Count from 0 again."""
        for counts in (self.requests, self.good, self.faults, self.kinds):
            counts.clear()

    def content_requests(self) -> Counter[str]:
        """Count the GETs of articles' files: neither inventory nor metadata."""
        apart = ("inventory-reports/", "metadata/", "?", "-/")
        return Counter({key: count for key, count in self.requests.items() if not key.startswith(apart)})

    def choose_fault(self, key: str) -> str | None:
        if key in self.behaviour.always:
            return self.behaviour.always[key]
        if self._random.random() < self.behaviour.fault_share:
            return self._random.choice(self.behaviour.faults)
        return None


class _Connection(asyncio.Protocol):
    """One keep-alive connection: requests one after the other."""

    def __init__(self, server: FaultyServer) -> None:
        self.server, self.received = server, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.server.open_connections += 1
        self.server.most_connections = max(self.server.most_connections, self.server.open_connections)

    def connection_lost(self, error: Exception | None) -> None:
        self.server.open_connections -= 1

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, self.received = self.received.split(b"\r\n\r\n", 1)
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
            loop = asyncio.get_running_loop()
            loop.call_later(self.server.behaviour.latency_s, self._answer, method, target)

    def _answer(self, method: str, target: str) -> None:
        if self.transport.is_closing():
            return
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        is_list = "list-type" in query and parts.path.strip("/") == self.server.behaviour.bucket
        prefix = query.get("prefix", [""])[0]
        key = f"?{prefix}" if is_list else unquote(parts.path).lstrip("/")
        if key == "-/counts":
            counts = {"requests": sum(self.server.requests.values()), "connections": self.server.most_connections}
            self._send(method, 200, json.dumps(counts).encode())
            return
        if key.endswith(self.server.behaviour.held):
            self.server.waiting.add(key)
            asyncio.get_running_loop().call_later(HELD_POLL_S, self._answer, method, target)
            return
        self.server.requests[key] += 1
        fault = self.server.choose_fault(key)
        if fault is not None:
            self.server.faults[key] += 1
            self.server.kinds[fault] += 1
        if is_list and fault is None:
            self._send(method, 200, _listing(self.server.root / self.server.behaviour.bucket, prefix))
        else:
            self._serve(method, key, "503" if is_list else fault)

    def _serve(self, method: str, key: str, fault: str | None) -> None:
        path = self.server.root / key
        if fault is not None and fault.isdigit():
            body = {"404": NO_SUCH_KEY, "403": DENIED}.get(fault, SLOW_DOWN)
            self._send(method, int(fault), body, retry_after=fault in {"429", "503"})
            return
        if not path.is_file() or ".." in key:
            self._send(method, 404, NO_SUCH_KEY)
            return
        content = path.read_bytes()
        etag = md5(content).hexdigest()
        if fault == "wrong_bytes":
            content = bytes(byte ^ 0x20 for byte in content[:64]) + content[64:]
        if fault in {"reset", "truncated", "stall"}:
            self._break_off(fault, content, etag)
            return
        if fault in {None, "chunked"}:
            self.server.good[key] += 1
        if fault == "chunked":
            self.transport.write(_chunked(content))
        else:
            self._send(method, 200, content, etag)

    def _break_off(self, fault: str, content: bytes, etag: str) -> None:
        self.transport.write(_head(200, len(content), etag) + content[: len(content) // 2])
        if fault == "truncated":
            self.transport.close()
        elif fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.transport.abort()

    def _send(self, method: str, status: int, content: bytes, etag: str = "", retry_after: bool = False) -> None:
        extra = f"Retry-After: {self.server.behaviour.retry_after}\r\n" if retry_after else ""
        head = _head(status, len(content), etag, extra)
        self.transport.write(head if method == "HEAD" else head + content)


def _head(status: int, size_bytes: int, etag: str = "", extra: str = "") -> bytes:
    etag_line = f'ETag: "{etag}"\r\n' if etag else ""
    reason = REASONS.get(status, "Status")
    return f"HTTP/1.1 {status} {reason}\r\nContent-Length: {size_bytes}\r\n{etag_line}{extra}\r\n".encode()


def _chunked(content: bytes) -> bytes:
    pieces = [content[start : start + 1_000] for start in range(0, len(content), 1_000)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body


def _listing(root: Path, prefix: str) -> bytes:
    """List as S3 does: keys have no slash in front."""
    folder = root / prefix.rstrip("/")
    names = sorted(folder.iterdir()) if folder.is_dir() and not prefix.startswith("/") else []
    folders = "".join(
        f"<CommonPrefixes><Prefix>{escape(prefix + p.name)}/</Prefix></CommonPrefixes>" for p in names if p.is_dir()
    )
    files = "".join(f"<Contents><Key>{escape(prefix + p.name)}</Key></Contents>" for p in names if p.is_file())
    return (
        f'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<IsTruncated>false</IsTruncated>{files}{folders}</ListBucketResult>"
    ).encode()


async def _listen(server: FaultyServer) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: _Connection(server), "127.0.0.1", 0, backlog=512)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    return listening


@contextlib.contextmanager
def serve(root: Path, **behaviour: object) -> Iterator[FaultyServer]:
    """Serve `root` from a thread while the block runs; keywords are those of Behaviour."""
    server = FaultyServer(Path(root), Behaviour(**behaviour))  # type: ignore[arg-type]
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(_listen(server))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(listening.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _serve_until_input_closes(server: FaultyServer) -> None:
    listening = await _listen(server)
    print(server.url, flush=True)
    async with listening:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--latency-s", type=float, default=0.0)
    parser.add_argument("--fault-share", type=float, default=0.0)
    options = parser.parse_args()
    behaviour = Behaviour(latency_s=options.latency_s, fault_share=options.fault_share)
    asyncio.run(_serve_until_input_closes(FaultyServer(options.root, behaviour)))


if __name__ == "__main__":
    main()
