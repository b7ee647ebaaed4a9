"""How fast small objects come over HTTP: our fetcher beside s3fs, obstore, httpx, urllib3 and bare aiohttp.

A server in its own process answers every request after a fixed latency. Each client runs in its own process.
`python benchmarks/transport.py` prints a Markdown table; medians of three rounds.
"""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SERVER = Path(__file__).parent.parent / "assets_tests" / "faulty_server.py"
CONNECTIONS = 64
OBJECT_BYTES = 20_000
FOLDER = "pmc-oa-opendata/objects"


def fetch_ours(url: str, keys: list[str]) -> int:
    """The project's fetcher: aiohttp, retries, md5, results in order."""
    from hashlib import md5

    from pmc_assets.source.fetcher import Fetcher
    from pmc_assets.source.open import open_transport

    expected = md5(b"x" * OBJECT_BYTES).hexdigest()
    fetcher = Fetcher(open_transport(url, CONNECTIONS, 30.0), connections=CONNECTIONS, budget_s=60)
    return sum(len(body.content) for body in fetcher.in_order(lambda key: fetcher.get(key, expected), keys))


def fetch_aiohttp(url: str, keys: list[str]) -> int:
    import aiohttp

    async def run() -> int:
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

            async def get(key: str) -> int:
                async with session.get(f"{url}/{key}") as response:
                    return len(await response.read())

            return sum(await asyncio.gather(*map(get, keys)))

    return asyncio.run(run())


def fetch_httpx(url: str, keys: list[str]) -> int:
    import httpx

    async def run() -> int:
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:
            slots = asyncio.Semaphore(CONNECTIONS)

            async def get(key: str) -> int:
                async with slots:
                    return len((await client.get(f"{url}/{key}")).content)

            return sum(await asyncio.gather(*map(get, keys)))

    return asyncio.run(run())


def fetch_urllib3(url: str, keys: list[str]) -> int:
    import urllib3

    pool = urllib3.PoolManager(maxsize=CONNECTIONS, block=True)
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        return sum(threads.map(lambda key: len(pool.request("GET", f"{url}/{key}").data), keys))


def fetch_obstore(url: str, keys: list[str]) -> int:
    from obstore.store import HTTPStore

    store = HTTPStore(url, client_options={"allow_http": True})

    async def run() -> int:
        slots = asyncio.Semaphore(CONNECTIONS)

        async def get(key: str) -> int:
            async with slots:
                return len(await (await store.get_async(key)).bytes_async())

        return sum(await asyncio.gather(*map(get, keys)))

    return asyncio.run(run())


def fetch_obstore_fsspec(url: str, keys: list[str]) -> int:
    from obstore.fsspec import FsspecStore

    async def run() -> int:
        options = {"region": "us-east-1", "skip_signature": True, "virtual_hosted_style_request": False}
        fs = FsspecStore("s3", endpoint=url, client_options={"allow_http": True}, asynchronous=True, **options)
        slots = asyncio.Semaphore(CONNECTIONS)

        async def get(key: str) -> int:
            async with slots:
                return len(await fs._cat_file(key))

        return sum(await asyncio.gather(*map(get, keys)))

    return asyncio.run(run())


def fetch_s3fs(url: str, keys: list[str]) -> int:
    import s3fs

    fs = s3fs.S3FileSystem(
        anon=True, endpoint_url=url, config_kwargs={"max_pool_connections": CONNECTIONS}, skip_instance_cache=True
    )
    return sum(map(len, fs.cat(keys, batch_size=CONNECTIONS).values()))


CLIENTS: dict[str, Callable[[str, list[str]], int]] = {
    "pmc_assets (aiohttp, md5, retries)": fetch_ours,
    "aiohttp, bare": fetch_aiohttp,
    "obstore, HTTP store": fetch_obstore,
    "obstore, fsspec s3": fetch_obstore_fsspec,
    "httpx": fetch_httpx,
    "urllib3, threads": fetch_urllib3,
    "s3fs": fetch_s3fs,
}


def run_client(name: str, url: str, count: int) -> None:
    """Fetch once and print objects/s and CPU ms per object (this process alone, its start left out)."""
    keys = [f"{FOLDER}/{number}.jpg" for number in range(count)]
    CLIENTS[name](url, keys[:8])
    cpu, started = _cpu_s(), time.perf_counter()
    size_bytes = CLIENTS[name](url, keys)
    seconds, cpu = time.perf_counter() - started, _cpu_s() - cpu
    assert size_bytes == count * OBJECT_BYTES, size_bytes
    print(json.dumps({"per_s": count / seconds, "cpu_ms": cpu * 1000 / count}))


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(root: Path, latency_s: float, count: int, rounds: int) -> list[tuple[str, float, float]]:
    """Give (client, objects/s, CPU ms per object) as medians; clients take turns."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    command = [sys.executable, str(SERVER), str(root), "--latency-s", str(latency_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None and server.stdin is not None
        url = server.stdout.readline().strip()
        for _ in range(rounds):
            for name in CLIENTS:
                client = [sys.executable, __file__, "--client", name, "--url", url, "--count", str(count)]
                answer = subprocess.run(client, capture_output=True, text=True, check=False)
                if answer.returncode == 0:
                    found[name].append(json.loads(answer.stdout.splitlines()[-1]))
                else:
                    print(f"{name} failed: {answer.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        server.stdin.close()
    return [
        (name, statistics.median(r["per_s"] for r in runs), statistics.median(r["cpu_ms"] for r in runs))
        for name, runs in found.items()
        if runs
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-s", type=float, nargs="+", default=[0.001, 0.08])
    parser.add_argument("--client")
    parser.add_argument("--url")
    options = parser.parse_args()
    if options.client:
        run_client(options.client, options.url, options.count)
        return
    with tempfile.TemporaryDirectory() as folder:
        objects = Path(folder) / FOLDER
        objects.mkdir(parents=True)
        for number in range(options.count):
            (objects / f"{number}.jpg").write_bytes(b"x" * OBJECT_BYTES)
        print(f"{options.count} objects of {OBJECT_BYTES // 1000} kB, {CONNECTIONS} connections\n")
        print("| client | latency | objects/s | share of 64/latency | CPU ms/object |\n|---|---:|---:|---:|---:|")
        for latency_s in options.latency_s:
            for name, per_s, cpu_ms in measure(Path(folder), latency_s, options.count, options.rounds):
                share = f"{per_s * latency_s / CONNECTIONS:.0%}" if latency_s > 0.01 else ""
                print(f"| {name} | {latency_s * 1000:.0f} ms | {per_s:,.0f} | {share} | {cpu_ms:.2f} |", flush=True)


if __name__ == "__main__":
    main()
