"""Whether syncing scales: a full inventory within 1 GiB, 10,000 articles in flat memory, equal cost per article.

`python benchmarks/sync_scale.py` prints Markdown tables. Every measurement is a process of its own; the bucket is
served by a local server in another.
"""

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from isal import igzip

ASSETS_TESTS = Path(__file__).parent.parent / "assets_tests"
sys.path.insert(0, str(ASSETS_TESTS))

from small_bucket import INVENTORY, SmallBucket  # noqa: E402

INVENTORY_ROWS = 9_300_000
SHARDS = 5
WIDE_BATCH_IDS = 100_000
NOW = datetime(2026, 11, 21, tzinfo=UTC)


# -- what is measured, each in its own process ------------------------------------------------------------------------


def measure_inventory(url: str, lake_url: str) -> dict[str, float]:
    from pmc_assets.filelists.inventory import take_inventory
    from pmc_assets.filelists.inventory_changes import batch_digests
    from pmc_assets.lake import Lake
    from pmc_assets.source.open import open_source

    lake = Lake(lake_url)
    result = take_inventory(open_source(url), lake, 10_000)
    batch_digests(lake, str(result.details["snapshot_date"]))
    changes = {name: float(result.details[name]) for name in ("new", "changed", "vanished")}
    return {"rows": result.rows, "file_mb": result.size_bytes / 1e6, **changes}


def measure_fetch(url: str, lake_url: str) -> dict[str, float]:
    from pmc_assets.filelists.article_versions import update_article_versions
    from pmc_assets.filelists.filelists import write_filelists
    from pmc_assets.filelists.inventory import inventory_batches, take_inventory
    from pmc_assets.lake import Lake, Partition
    from pmc_assets.packages.store import store_packages
    from pmc_assets.source.open import open_source

    lake, source = Lake(lake_url), open_source(url)
    take_inventory(source, lake, WIDE_BATCH_IDS)
    (batch,) = inventory_batches(lake)
    articles = update_article_versions(source, lake, batch, NOW).stored
    write_filelists(lake, batch)
    memory: list[float] = []

    def note(done: int, total: int) -> None:
        if done * 20 % total < 20:
            memory.append(_memory_mb_now())

    result = store_packages(source, lake, Partition.of(license_group="commercial", batch=batch), progress=note)
    return {"articles": articles, "files": result.rows, "first_mb": memory[len(memory) // 4], "last_mb": memory[-1]}


def _memory_mb_now() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _peak_mb() -> float:
    """Read this program's own peak: ru_maxrss would count its parent's too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def run_measurement(name: str, url: str, lake_url: str) -> None:
    cpu, started = _cpu_s(), time.perf_counter()
    found = {"inventory": measure_inventory, "fetch": measure_fetch}[name](url, lake_url)
    found |= {"seconds": time.perf_counter() - started, "cpu_s": _cpu_s() - cpu}
    found["peak_mb"] = _peak_mb()
    print(json.dumps(found))


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


# -- inputs -----------------------------------------------------------------------------------------------------------


def write_inventory(root: Path, day: str, rows: int, changed_share: float = 0.0) -> None:
    """Write an inventory of `rows` versions in no order; a share of the ETags differs from the other day's."""
    numbers = np.random.default_rng(1).permutation(np.arange(10_000, 13_500_000, dtype=np.int64))[:rows]
    seeds = numbers * 7919
    seeds[: int(rows * changed_share)] += 1
    files = []
    for shard in range(SHARDS):
        content = _shard(numbers[shard::SHARDS], seeds[shard::SHARDS])
        key = f"{INVENTORY}/data/{day}-{shard}.csv.gz"
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        files.append({"key": key, "size": len(content), "MD5checksum": md5(content).hexdigest()})
    folder = root / INVENTORY / f"{day}T01-00Z"
    folder.mkdir(parents=True)
    schema = "Bucket, Key, LastModifiedDate, ETag"
    (folder / "manifest.json").write_text(json.dumps({"fileFormat": "CSV", "fileSchema": schema, "files": files}))


def _shard(numbers: np.ndarray, seeds: np.ndarray) -> bytes:
    rows = len(numbers)
    etags = [md5(b"%d" % seed).hexdigest() for seed in seeds.tolist()]
    table = pa.table(
        {
            "Bucket": pa.array(["pmc-oa-opendata"] * rows),
            "Key": pa.array([f"metadata/PMC{number}.1.json" for number in numbers.tolist()]),
            "LastModifiedDate": pa.array(["2026-01-08T11:47:59.000Z"] * rows),
            "ETag": pa.array(etags),
        }
    )
    sink = pa.BufferOutputStream()
    options = pa.csv.WriteOptions(include_header=False, quoting_style="all_valid")
    pa.csv.write_csv(table, sink, options)
    return igzip.compress(sink.getvalue().to_pybytes(), 1)


def write_bucket(root: Path, articles: int) -> None:
    bucket = SmallBucket(root)
    for number in range(articles):
        media = {f"g{n}.jpg": bytes([number % 251, n]) * 4_000 for n in range(3)}
        bucket.add(f"PMC{1_000_000 + number}", media=media)
    bucket.publish("2026-11-20")


@contextlib.contextmanager
def served(root: Path, latency_s: float) -> Iterator[str]:
    command = [sys.executable, str(ASSETS_TESTS / "faulty_server.py"), str(root), "--latency-s", str(latency_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None and server.stdin is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def measure(name: str, url: str, lake: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", name, "--url", url, "--lake", str(lake)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


# -- tables -----------------------------------------------------------------------------------------------------------


def show_inventory(folder: Path, rows: int) -> None:
    root = folder / "inventory"
    print("| inventory | rows | new | changed | vanished | seconds | CPU s | peak MB | Parquet MB |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for day, count, share in (("2026-11-20", rows, 0.0), ("2026-11-21", rows + rows // 5_000, 0.001)):
        write_inventory(root, day, count, share)
        r = measure("inventory", root.as_uri(), folder / "inventory-lake")
        print(
            f"| {day} | {r['rows']:,.0f} | {r['new']:,.0f} | {r['changed']:,.0f} | {r['vanished']:,.0f} | "
            f"{r['seconds']:.0f} | {r['cpu_s']:.0f} | {r['peak_mb']:,.0f} | {r['file_mb']:,.0f} |",
            flush=True,
        )


def show_fetch(folder: Path, sizes: list[int], latency_s: float) -> None:
    print("| articles | files | seconds | CPU ms/article | MB after a quarter | MB at the end | peak MB |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for articles in sizes:
        root = folder / f"bucket-{articles}"
        write_bucket(root, articles)
        with served(root, latency_s) as url:
            r = measure("fetch", url, folder / f"lake-{articles}")
        print(
            f"| {articles:,} | {r['files']:,.0f} | {r['seconds']:.0f} | {r['cpu_s'] * 1000 / articles:.2f} | "
            f"{r['first_mb']:,.0f} | {r['last_mb']:,.0f} | {r['peak_mb']:,.0f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=INVENTORY_ROWS)
    parser.add_argument("--articles", type=int, nargs="*", default=[1_000, 10_000, 20_000])
    parser.add_argument("--latency-s", type=float, default=0.001)
    parser.add_argument("--measure", choices=["inventory", "fetch"])
    parser.add_argument("--url")
    parser.add_argument("--lake")
    options = parser.parse_args()
    if options.measure:
        run_measurement(options.measure, options.url, options.lake)
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.rows:
            show_inventory(Path(folder), options.rows)
            print()
        if options.articles:
            show_fetch(Path(folder), options.articles, options.latency_s)


if __name__ == "__main__":
    main()
