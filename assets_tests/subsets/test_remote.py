"""Remote lakes: SQL and exports over HTTP and S3 read only the ranges that they need."""

import http.server
import io
import os
import random
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import fsspec
import pytest
from generated_lake import make_lake
from ranged_server import CountingHandler

from pmc_assets.lake import Lake
from pmc_assets.subsets.export import export_subset
from pmc_assets.warehouse.guard import QueryError
from pmc_assets.warehouse.query import run_query

SAMPLES = 400
IMAGE_BYTES = 400_000
SHARE = 1.15


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> tuple[Path, list[dict]]:
    folder = tmp_path_factory.mktemp("remote") / "lake"
    return folder, make_lake(str(folder), SAMPLES, IMAGE_BYTES, most_samples=200)


@pytest.fixture(scope="module")
def served(large) -> Iterator[tuple[str, dict[str, int]]]:
    sent: dict[str, int] = {}
    handler = type("Handler", (CountingHandler,), {"sent": sent})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(large[0])))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", sent
    server.shutdown()
    server.server_close()


def one_in(samples: list[dict], share: float) -> str:
    """Give a condition that a random share of the samples meets."""
    chosen = random.Random(1).sample(samples, int(len(samples) * share))
    return "sample_key in (" + ", ".join(f"'{s['sample_key']}'" for s in chosen) + ")"


def test_sql_over_http_reads_the_columns_asked_for(large, served):
    url, sent = served
    sent.clear()
    out = io.BytesIO()
    run_query(url, "select license_group, count(*) as n from out.samples where year > 2005 group by 1 order by 1", out)
    assert b"commercial" in out.getvalue()
    assert sum(size for path, size in sent.items() if path.endswith(".tar")) == 0
    assert sum(sent.values()) < 0.01 * sum(f.stat().st_size for f in large[0].rglob("*.tar"))


def test_export_over_http_reads_little_more_than_it_exports(large, served, tmp_path):
    url, sent = served
    sent.clear()
    done = export_subset(url, name="some", where=one_in(large[1], 0.04), to=str(tmp_path / "out"))
    exported = sum(f.stat().st_size for f in (tmp_path / "out").rglob("*.tar"))
    assert done.samples == 16
    shards = sum(size for path, size in sent.items() if path.endswith(".tar"))
    assert shards == done.size_bytes
    assert sum(sent.values()) / exported <= SHARE, sorted(sent.items(), key=lambda item: -item[1])[:12]


def test_export_over_http_equals_the_local_one(large, served, tmp_path):
    where = one_in(large[1], 0.02)
    export_subset(served[0], name="some", where=where, to=str(tmp_path / "remote"))
    export_subset(str(large[0]), name="some", where=where, to=str(tmp_path / "local"))
    for path in (tmp_path / "local").glob("*.tar"):
        assert path.read_bytes() == (tmp_path / "remote" / path.name).read_bytes()


def test_remote_connection_is_locked_too(served):
    for sql in ("select * from read_text('/etc/passwd')", "select * from read_text('http://127.0.0.1:9/x')"):
        with pytest.raises(QueryError):
            run_query(served[0], sql, io.BytesIO())


@pytest.fixture(scope="module")
def bucket(large) -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    before = dict(os.environ)
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
    }  # fmt: skip
    fsspec.config.conf["s3"] = {"endpoint_url": f"http://{host}:{port}", "key": "test", "secret": "test"}
    fs = fsspec.filesystem("s3")
    fs.mkdir("lakes")
    fs.put(str(large[0]), "lakes/one", recursive=True)
    yield "s3://lakes/one"
    fsspec.config.conf.pop("s3")
    os.environ.clear()
    os.environ.update(before)
    server.stop()


def test_sql_and_export_on_s3(large, bucket, tmp_path):
    out = io.BytesIO()
    run_query(bucket, "select count(*) as n from out.samples", out, format="csv")
    assert out.getvalue() == f"n\n{SAMPLES}\n".encode()
    where = one_in(large[1], 0.02)
    done = export_subset(bucket, name="some", where=where, to="s3://lakes/subset")
    assert done.samples == done.copied_samples == 8
    assert export_subset(bucket, name="some", where=where, to="s3://lakes/subset").copied_samples == 0
    export_subset(str(large[0]), name="some", where=where, to=str(tmp_path / "local"))
    assert Lake("s3://lakes/subset").read_bytes("00000.tar") == (tmp_path / "local" / "00000.tar").read_bytes()
