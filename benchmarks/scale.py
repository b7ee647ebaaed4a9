"""All of PMC on one node, on ten, and a day's sync: a simulation in steps of time, from measured costs an article.

    python -m benchmarks.scale > benchmarks/scale.md

Every cell (licence group x batch) waits for a core, fetches over the wire that all share, then computes on its core.
What is measured comes from `python -m benchmarks.article_cost`; what is assumed says so in the table.
"""

import random
from collections import deque
from dataclasses import dataclass

ARTICLES = 8_218_998
CELLS = 4_050
CPU_MS = 56.5
EMBEDDING_CPU_MS, EMBEDDING_GPU_MS = 200.0, 4.0
OBJECTS, FETCHED_BYTES, ALL_BYTES = 6.0, 2.5e6, 4.0e6
FIGURES, IMAGES = 4.0, 4.0
LAKE_BYTES = {"raw/packages": 2.5e6, "out/shards": 2.45e6, "out/parquet": 2.45e6, "core and other tables": 60e3}
WIRE_BYTES_S = 10e9 / 8
LATENCY_S, CONNECTIONS = 0.08, 32
CORES = 64
STEP_S = 20.0
DAILY_ARTICLES, DAILY_CELLS, DAILY_FIXED_S = 6_000, 150, 240.0
NODE_HOUR_USD, GPU_HOUR_USD, GB_MONTH_USD, PER_1000_GETS_USD, EGRESS_GB_USD = 3.07, 1.01, 0.023, 0.0004, 0.0


@dataclass
class Cell:
    """What is left to do for one cell."""

    fetch_bytes: float
    cpu_s: float


@dataclass(frozen=True)
class Simulated:
    """How long a pass over cells took and what it kept busy, as shares of the whole time."""

    hours: float
    wire_share: float
    cores_share: float


def simulate(articles: int, cells: int, nodes: int, cpu_ms: float, seed: int = 0) -> Simulated:
    """Run cells of uneven size over the cores of all nodes; each node has its own wire."""
    chance = random.Random(seed)
    weights = [chance.lognormvariate(0, 0.8) for _ in range(cells)]
    scale = articles / sum(weights)
    sizes = sorted((weight * scale for weight in weights), reverse=True)
    waiting = deque(Cell(size * FETCHED_BYTES, size * cpu_ms / 1_000) for size in sizes)
    running: list[list[Cell]] = [[] for _ in range(nodes)]
    time_s = wire_busy = cores_busy = 0.0
    per_cell = CONNECTIONS / LATENCY_S * FETCHED_BYTES / OBJECTS
    while waiting or any(running):
        for node in running:
            while waiting and len(node) < CORES:
                node.append(waiting.popleft())
            fetching = [cell for cell in node if cell.fetch_bytes > 0]
            rate = min(per_cell, WIRE_BYTES_S / max(1, len(fetching)))
            for cell in fetching:
                cell.fetch_bytes -= rate * STEP_S
            computing = [cell for cell in node if cell.fetch_bytes <= 0]
            for cell in computing:
                cell.cpu_s -= STEP_S
            wire_busy += rate * len(fetching) / WIRE_BYTES_S
            cores_busy += len(computing) / CORES
            node[:] = [cell for cell in node if cell.fetch_bytes > 0 or cell.cpu_s > 0]
        time_s += STEP_S
    steps = time_s / STEP_S * nodes
    return Simulated(time_s / 3_600, wire_busy / steps, cores_busy / steps)


def main() -> None:
    print("# All of PMC: what it takes\n")
    print("Made by `python -m benchmarks.scale`; the costs an article by `python -m benchmarks.article_cost`.\n")
    _print_inputs()
    _print_work()
    _print_times()
    _print_costs()
    _print_older()


def _print_inputs() -> None:
    rows = [
        ("articles in the three groups", f"{ARTICLES:,}", "published count, 2026-09"),
        ("CPU from fetch to shard, an article", f"{CPU_MS:g} ms", "measured, 2 cores, one process a cell"),
        ("objects fetched an article (metadata, XML, 4 images)", f"{OBJECTS:g}", "assumed: the average article"),
        ("bytes fetched an article (PDF and text left out)", f"{FETCHED_BYTES / 1e6:g} MB", "assumed"),
        ("embedding of 4 images on a CPU core", f"{EMBEDDING_CPU_MS:g} ms", "measured: torch, 20 images/s"),
        ("embedding of 4 images on a GPU", f"{EMBEDDING_GPU_MS:g} ms", "assumed: 1,000 images/s"),
        ("time to first byte, connections a cell", f"{LATENCY_S * 1e3:g} ms, {CONNECTIONS}", "assumed"),
        ("wire of a node", "10 Gbit/s", "assumed"),
        (
            "prices: node hour (64 cores), GPU hour, GB month",
            f"{NODE_HOUR_USD}, {GPU_HOUR_USD}, {GB_MONTH_USD} USD",
            "assumed",
        ),
    ]
    print("| input | value | measured or assumed |\n|---|---:|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def _print_work() -> None:
    print("\n## The work\n\n| what | all of PMC | a day's sync |\n|---|---:|---:|")
    for name, each, unit in (
        ("articles", 1.0, ""),
        ("figures", FIGURES, ""),
        ("requests", OBJECTS, ""),
        ("bytes fetched", FETCHED_BYTES / 1e12, " TB"),
        ("CPU hours, fetch to shard", CPU_MS / 3.6e6, ""),
        ("CPU hours, embeddings without a GPU", EMBEDDING_CPU_MS / 3.6e6, ""),
        ("GPU hours, embeddings", EMBEDDING_GPU_MS / 3.6e6, ""),
        *((f"storage: {name}", size / 1e12, " TB") for name, size in LAKE_BYTES.items()),
    ):
        print(f"| {name} | {_number(each * ARTICLES)}{unit} | {_number(each * DAILY_ARTICLES)}{unit} |")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _print_times() -> None:
    print("\n## The time (simulated)\n")
    print("| run | hours | wire busy | cores busy |\n|---|---:|---:|---:|")
    for name, articles, cells, nodes, cpu_ms in (
        ("one 64-core node, packages to shards", ARTICLES, CELLS, 1, CPU_MS),
        ("the same, code ten times slower", ARTICLES, CELLS, 1, 10 * CPU_MS),
        ("one node, embeddings on its CPUs too", ARTICLES, CELLS, 1, CPU_MS + EMBEDDING_CPU_MS),
        ("ten nodes, packages to shards", ARTICLES, CELLS, 10, CPU_MS),
    ):
        result = simulate(articles, cells, nodes, cpu_ms)
        print(f"| {name} | {result.hours:.1f} | {result.wire_share:.0%} | {result.cores_share:.0%} |")
    daily = simulate(DAILY_ARTICLES, DAILY_CELLS, 1, CPU_MS)
    minutes = daily.hours * 60 + DAILY_FIXED_S / 60
    name = f"a day's sync of {DAILY_ARTICLES:,} articles in {DAILY_CELLS} cells (assumed), and the inventory"
    print(f"| {name} | {minutes / 60:.2f} | | |")
    print("\nThe wire is the bottleneck of one node; the goal of one day leaves room for code several times slower.")


def _print_costs() -> None:
    hours = simulate(ARTICLES, CELLS, 1, CPU_MS).hours
    stored_gb = sum(LAKE_BYTES.values()) * ARTICLES / 1e9
    rows = {
        "the node": hours * NODE_HOUR_USD,
        "GPU for embeddings": ARTICLES * EMBEDDING_GPU_MS / 3.6e6 * GPU_HOUR_USD,
        "requests to the bucket": ARTICLES * OBJECTS / 1_000 * PER_1000_GETS_USD,
        "egress (same region)": ARTICLES * FETCHED_BYTES / 1e9 * EGRESS_GB_USD,
        "storage of the lake, a month": stored_gb * GB_MONTH_USD,
    }
    print("\n## The cost on a public cloud (assumed prices)\n\n| what | USD |\n|---|---:|")
    for name, usd in rows.items():
        print(f"| {name} | {usd:,.0f} |")


def _print_older() -> None:
    print("\n## Beside the older pipeline (published)\n")
    print("A month on 60 CPUs and 10 GPUs with 50 TB; 150 days of serial serialisation. 60 CPUs for 30 days are")
    hours = CPU_MS * ARTICLES / 3.6e6
    print(f"43,200 CPU hours; from fetch to shard this takes {hours:,.0f}, embeddings apart.")


if __name__ == "__main__":
    main()
