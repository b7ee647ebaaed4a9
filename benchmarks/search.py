"""Time caption search and neighbours: the index against a scan of the same captions and vectors by DuckDB.

Run: python benchmarks/search.py [samples]. Full-text extensions of DuckDB are not to be had for its version 2.
"""

import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from pmc_assets import schema
from pmc_assets.annotations.vectors import vector_column
from pmc_assets.lake import Lake, Partition
from pmc_assets.shards.samples import samples_table
from pmc_assets.warehouse.build import build_warehouse
from pmc_assets.warehouse.connection import open_connection
from pmc_assets.warehouse.neighbour_index import update_neighbours
from pmc_assets.warehouse.neighbours import nearest_to_vector
from pmc_assets.warehouse.search import search_captions, update_search

PER_PARTITION = 10_000
WORDS = 40_000
CAPTION_WORDS = 60
DIMENSIONS = 256
ENCODER = "generated"
SCAN = "select sample_key from out.samples where caption ilike '%{0}%' and caption ilike '%{1}%'"


def words() -> tuple[list[str], list[float]]:
    """Make words whose frequencies fall as those of a language do (Zipf)."""
    rng = random.Random(0)
    made = ["".join(rng.choices("abcdefghilmnoprstuv", k=rng.randint(3, 10))) for _ in range(WORDS)]
    return made, [1 / (rank + 2) for rank in range(WORDS)]


def write(lake: Lake, number: int) -> None:
    rng, table = random.Random(number), samples_table()
    vocabulary, weights = words()
    cumulative = np.cumsum(weights).tolist()
    cell = {"license_group": "commercial", "batch": f"PMC{number:05d}xxxx"}
    key = [
        {"pmcid": f"PMC{number * 10_000 + i + 1}", "version": 1, "figure_index": 0, "graphic_index": 0}
        for i in range(PER_PARTITION)
    ]
    rows = [
        dict.fromkeys(table.arrow.names)
        | k
        | {"sample_key": f"{k['pmcid']}_1_f0000_g00", "mentions": []}
        | {"caption": " ".join(rng.choices(vocabulary, cum_weights=cumulative, k=CAPTION_WORDS))}
        for k in key
    ]
    lake.write_table(table, pa.Table.from_pylist(rows, schema=table.arrow), Partition.of(**cell))
    vectors = np.random.default_rng(number).normal(size=(len(key), DIMENSIONS))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    fields = schema.CORE_EMBEDDINGS.columns
    columns = [
        vector_column(vectors)
        if f.name == "vector"
        else pa.array([k.get(f.name, "0" if pa.types.is_string(f.type) else 0) for k in key], f.type)
        for f in fields
    ]
    table_ = pa.table(columns, names=[f.name for f in fields])
    lake.write_table(schema.CORE_EMBEDDINGS, table_, Partition.of(encoder=ENCODER, **cell))


def median_ms(run: Callable[[], object], repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return 1e3 * statistics.median(times)


def main(samples: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="search-benchmark-"))
    try:
        lake = Lake(str(folder / "lake"))
        for number in range(max(1, samples // PER_PARTITION)):
            write(lake, number)
        build_warehouse(lake)
        started = time.perf_counter()
        result = update_search(lake)
        seconds = time.perf_counter() - started
        rate, each = result.rows / seconds, result.size_bytes / result.rows
        print(f"{result.rows:,} captions of {CAPTION_WORDS} words: {rate:,.0f}/s indexed, {each:.0f} bytes each\n")
        print("| | index | DuckDB over all | |\n|---|---:|---:|---:|")
        vocabulary, _ = words()
        with open_connection(lake) as connection:
            for name, pair in (("two frequent words", vocabulary[20:22]), ("two rare words", vocabulary[3_000:3_002])):
                found = search_captions(lake, " ".join(pair)).num_rows
                fast = median_ms(lambda pair=pair: search_captions(lake, " ".join(pair)))
                slow = median_ms(lambda pair=pair: connection.execute(SCAN.format(*pair)).fetchall())
                print(f"| {name}, {found:,} hits | {fast:.1f} ms | {slow:.1f} ms | {slow / fast:.0f} x |")
        vector = np.random.default_rng(0).normal(size=DIMENSIONS).astype(np.float32)
        exact = nearest_to_vector(lake, vector)["packed_key"].to_pylist()
        slow = median_ms(lambda: nearest_to_vector(lake, vector))
        started = time.perf_counter()
        update_neighbours(lake, ENCODER)
        added = result.rows / (time.perf_counter() - started)
        fast = median_ms(lambda: nearest_to_vector(lake, vector))
        shared = len(set(exact) & set(nearest_to_vector(lake, vector)["packed_key"].to_pylist()))
        name = f"10 neighbours ({added:,.0f} vectors/s added; {shared} of 10 the same)"
        print(f"| {name} | {fast:.1f} ms | {slow:.1f} ms | {slow / fast:.1f} x |")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
