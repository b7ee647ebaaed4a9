"""A file server without listings, with byte ranges, that counts what it sends."""

import http.server
import re
from pathlib import Path


class CountingHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without listings, with byte ranges, and counts the bytes of bodies."""

    sent: dict[str, int]

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        size = path.stat().st_size
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        start, end = 0, size
        if asked and asked[1]:
            start, end = int(asked[1]), min(size, int(asked[2]) + 1 if asked[2] else size)
        elif asked:
            start = max(0, size - int(asked[2]))
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(end - start))
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        with path.open("rb") as file:
            file.seek(start)
            self.wfile.write(file.read(end - start))
        self.sent[self.path] = self.sent.get(self.path, 0) + end - start

    def log_message(self, *_: object) -> None:
        pass
