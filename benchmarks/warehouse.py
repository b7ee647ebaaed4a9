"""Query 24 million generated samples in 4,000 partitions, against plain DuckDB and polars over the same Parquet.

Run: python benchmarks/warehouse.py [partitions] [folder]. It needs about 6 GB in the folder and removes them.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pmc_assets.lake import Lake
from pmc_assets.licenses import LICENSE_GROUPS
from pmc_assets.shards.samples import samples_table
from pmc_assets.warehouse.build import build_warehouse
from pmc_assets.warehouse.connection import Limits, open_connection
from pmc_assets.warehouse.guard import check_query

SAMPLES_PER_PARTITION = 6_000
SAMPLES_PER_ARTICLE = 4
LABELS = (
    "Microscopy",
    "Clinical Imaging",
    "Plots and Charts",
    "Illustrative Diagrams",
    "Tables",
    "PCR",
    "Maps",
    "Tools",
)
CODES = {"commercial": ("CC BY", "CC0"), "noncommercial": ("CC BY-NC", "CC BY-NC-ND"), "other": (None, "TDM")}
COUNT = (
    "select count(*) from {table} where year >= 2015 and license_code = 'CC BY'"
    " and list_contains(primary_label, 'Microscopy')"
)
SELECTION = (
    "select sample_key from {table} where list_contains(primary_label, 'Clinical Imaging') and year = 2016 limit 100000"
)
REPEATS = 5
LIMITS = Limits(memory="4GB", threads=2)


def write_partitions(folder: Path, numbers: range) -> None:
    """Write generated partitions of out.samples: every column of the contract, long texts kept short."""
    schema = samples_table().arrow
    for number in numbers:
        group = LICENSE_GROUPS[number % 3]
        rng = np.random.default_rng(number)
        columns = varied(number, group, rng)
        count = SAMPLES_PER_PARTITION
        arrays = [columns[f.name] if f.name in columns else constant(f, count) for f in schema]
        target = folder / f"out/samples/license_group={group}/batch=PMC{number // 3:05d}xxxx"
        target.mkdir(parents=True)
        table = pa.table([a.cast(f.type) for a, f in zip(arrays, schema, strict=True)], schema=schema)
        pq.write_table(table, target / "samples.parquet", compression="zstd", row_group_size=16_384)


def varied(number: int, group: str, rng: np.random.Generator) -> dict[str, pa.Array]:
    count = SAMPLES_PER_PARTITION
    articles = np.sort(rng.choice(10_000, count // SAMPLES_PER_ARTICLE, replace=False)) + number // 3 * 10_000 + 1
    pmcids = np.repeat(articles, SAMPLES_PER_ARTICLE)
    figures = np.tile(np.arange(SAMPLES_PER_ARTICLE), count // SAMPLES_PER_ARTICLE)
    years = np.repeat(
        1998 + number * 28 // 4_000 + rng.integers(0, 3, count // SAMPLES_PER_ARTICLE), SAMPLES_PER_ARTICLE
    )
    labels = np.array(LABELS)[rng.integers(0, len(LABELS), count)]
    codes = [CODES[group][i] for i in rng.integers(0, 2, count)]
    return {
        "sample_key": pa.array([f"PMC{p}_1_f{f:04d}_g00" for p, f in zip(pmcids, figures, strict=True)]),
        "pmcid": pa.array([f"PMC{p}" for p in pmcids]),
        "figure_index": pa.array(figures),
        "year": pa.array(years),
        "license_code": pa.array(codes, pa.string()),
        "primary_label": pa.ListArray.from_arrays(np.arange(count + 1, dtype=np.int32), pa.array(labels)),
        "width_px": pa.array(rng.integers(50, 2_000, count)),
        "height_px": pa.array(rng.integers(50, 2_000, count)),
        "panel_type": pa.array(np.array(["single", "multiple"])[rng.integers(0, 2, count)]),
        "caption": pa.array(
            [f"Caption of figure {f} that shows {label}" for f, label in zip(figures, labels, strict=True)]
        ),
    }


def constant(field: pa.Field, count: int) -> pa.Array:
    if pa.types.is_string(field.type):
        return pa.array([field.name]).take(pa.array(np.zeros(count, np.int64)))
    if pa.types.is_nested(field.type):
        return pa.array([[]] * count, field.type)
    return pa.array(np.zeros(count, np.int64))


def seconds(run, repeats: int = REPEATS) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def ours(folder: Path, sql: str) -> list:
    with open_connection(Lake(str(folder)), LIMITS) as connection:
        return connection.execute(check_query(connection, sql.format(table="out.samples"))).fetchall()


PLAIN = """
import sys, time, duckdb, statistics
c = duckdb.connect(config={"threads": 2, "memory_limit": "4GB"})
c.execute("set enable_progress_bar = false")
source = f"read_parquet('{sys.argv[1]}/out/samples/*/*/*.parquet', hive_partitioning = true)"
for sql in sys.argv[2:]:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        c.execute(sql.format(table=source)).fetchall()
        times.append(time.perf_counter() - started)
    print(statistics.median(times))
"""
POLARS = """
import sys, time, polars as pl, statistics
frame = pl.scan_parquet(sys.argv[1] + "/out/samples/**/*.parquet", hive_partitioning=True)
def has(label): return pl.col("primary_label").list.contains(label)
counted = (pl.col("year") >= 2015) & (pl.col("license_code") == "CC BY") & has("Microscopy")
count = frame.filter(counted).select(pl.len())
chosen = frame.filter(has("Clinical Imaging") & (pl.col("year") == 2016)).select("sample_key").head(100000)
for query in (count, chosen):
    times = []
    for _ in range(3):
        started = time.perf_counter(); query.collect(); times.append(time.perf_counter() - started)
    print(statistics.median(times))
"""
OURS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import warehouse
from pmc_assets.lake import Lake
from pmc_assets.warehouse.connection import open_connection
folder = Path(sys.argv[1])
def opened():
    with open_connection(Lake(str(folder)), warehouse.LIMITS) as c: c.execute("describe out.samples").fetchall()
print(warehouse.seconds(opened, 1))
print(warehouse.seconds(lambda: warehouse.ours(folder, warehouse.COUNT)))
print(warehouse.seconds(lambda: warehouse.ours(folder, warehouse.SELECTION)))
print(len(warehouse.ours(folder, warehouse.SELECTION)))
print(warehouse.peak_mib())
"""


def peak_mib() -> float:
    """Read this program's own peak: ru_maxrss would count its parent's too."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def measured(code: str, *arguments: str) -> list[float]:
    command = ["taskset", "-c", "0,1", sys.executable, "-c", code, *arguments]
    environment = {"POLARS_MAX_THREADS": "2", "PATH": "/usr/bin:/bin"}
    return [
        float(v)
        for v in subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()
    ]


def main(partitions: int, base: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="warehouse-benchmark-", dir=base))
    try:
        started = time.perf_counter()
        with ProcessPoolExecutor(2) as pool:
            halves = [range(0, partitions, 2), range(1, partitions, 2)]
            list(pool.map(write_partitions, [folder, folder], halves))
        written = time.perf_counter() - started
        print(
            f"{partitions * SAMPLES_PER_PARTITION:,} samples in {partitions:,} partitions, written in {written:.0f} s"
        )
        started = time.perf_counter()
        result = build_warehouse(Lake(str(folder)))
        built = time.perf_counter() - started
        started = time.perf_counter()
        build_warehouse(Lake(str(folder)))
        again = time.perf_counter() - started
        opened, count, selection, rows, memory = measured(OURS, str(folder), str(Path(__file__).parent))
        plain = measured(PLAIN, str(folder), COUNT, SELECTION)
        frame = measured(POLARS, str(folder))
        blocks = result.details["compacted_files"]
        print(f"compaction and build {built:.0f} s, build again {again:.1f} s, {blocks} blocks\n")
        print("| | warehouse | DuckDB over the partitions | polars over the partitions |\n|---|---:|---:|---:|")
        print(f"| open and describe | {opened:.2f} s | | |")
        print(row("count, three conditions", count, plain[0], frame[0]))
        print(row(f"{int(rows):,} keys by label and year", selection, plain[1], frame[1]))
        print(f"| peak memory | {memory:.0f} MiB | | |")
    finally:
        shutil.rmtree(folder)


def row(name: str, ours_s: float, *others_s: float) -> str:
    others = " | ".join(f"{other:.2f} s ({other / ours_s:.1f} x)" for other in others_s)
    return f"| {name} | {ours_s:.2f} s | {others} |"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000, sys.argv[2] if len(sys.argv) > 2 else tempfile.gettempdir())
