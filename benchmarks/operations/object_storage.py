"""S3 on loopback (moto's server) where a share of the calls fails with 503. What is stored there stays out."""

import contextlib
import logging
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

BUCKET = "drill"


@dataclass
class FailingStorage:
    """Where the storage answers, and how often it fails; the share may be changed while it runs."""

    endpoint_url: str
    failing_share: float
    chance: random.Random
    failed: int = 0

    @property
    def lake_url(self) -> str:
        return f"s3://{BUCKET}/lake"

    @property
    def environment(self) -> dict[str, str]:
        names = {"AWS_ACCESS_KEY_ID": "drill", "AWS_SECRET_ACCESS_KEY": "drill", "AWS_DEFAULT_REGION": "us-east-1"}
        return names | {"AWS_ENDPOINT_URL": self.endpoint_url, "AWS_ENDPOINT_URL_S3": self.endpoint_url}

    def download(self, folder: Path) -> None:
        """Fetch the lake into a local folder."""
        fs = fsspec.filesystem("s3", endpoint_url=self.endpoint_url, key="drill", secret="drill")
        fs.get(f"{BUCKET}/lake/", f"{folder}/", recursive=True)


@contextlib.contextmanager
def failing_s3(share: float, seed: int) -> Iterator[FailingStorage]:
    """Serve an empty bucket; a share of the calls is answered by 503 Slow Down."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    storage = FailingStorage("", 0.0, random.Random(seed))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = _failing(DomainDispatcherApplication(create_backend_app), storage)
    server = make_server("127.0.0.1", 0, application, threaded=True)
    storage.endpoint_url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        fsspec.filesystem("s3", endpoint_url=storage.endpoint_url, key="drill", secret="drill").mkdir(BUCKET)
        storage.failing_share = share
        yield storage
    finally:
        server.shutdown()
        thread.join()


def _failing(application: Callable[..., Iterable[bytes]], storage: FailingStorage) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if storage.chance.random() < storage.failing_share:
            storage.failed += 1
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("503 Slow Down", [("Content-Type", "application/xml")])
            return [b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"]
        return application(environ, start_response)

    return answer
