"""Clustering: a million vectors through the cluster model and the annotations, with the peak memory of each.

    python benchmarks/clustering.py [--images 1000000] [--dimensions 1024] [--cells 20]

Vectors are drawn around 3,000 centres and written as `core.embeddings`; each stage runs in its own process, whose peak
resident memory is the figure. The peer is scikit-learn's own way: all vectors in memory as float32.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from pmc_assets import schema
from pmc_assets.annotations.annotate import annotate_partition
from pmc_assets.annotations.cluster_fit import fit_cluster_model
from pmc_assets.annotations.cluster_sample import embedding_partitions
from pmc_assets.annotations.vectors import vector_column
from pmc_assets.lake import Lake, Partition

ENCODER = "synthetic"
CENTRES = 3_000
BLOCK = 10_000


def write(lake: Lake, images: int, dimensions: int, cells: int) -> None:
    centres = np.random.default_rng(0).normal(0, 1, (CENTRES, dimensions)).astype(np.float32)
    for cell in range(cells):
        target = Partition.of(encoder=ENCODER, license_group="other", batch=f"PMC{cell:05d}xxxx")
        with lake.writers([schema.CORE_EMBEDDINGS], target) as writers:
            for start in range(0, images // cells, BLOCK):
                count = min(BLOCK, images // cells - start)
                writers["core.embeddings"].append(
                    rows(np.random.default_rng((cell, start)), centres, cell, start, count)
                )


def rows(drawn: np.random.Generator, centres: np.ndarray, cell: int, start: int, count: int) -> pa.Table:
    noise = drawn.standard_normal((count, centres.shape[1]), dtype=np.float32)
    vectors = centres[drawn.integers(len(centres), size=count)] + 0.7 * noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = [f"PMC{cell:05d}{number:04d}" for number in range(start, start + count)]
    columns = {
        "pmcid": names,
        "version": pa.array(np.ones(count, np.int32)),
        "figure_index": pa.array(np.zeros(count, np.int32)),
        "graphic_index": pa.array(np.zeros(count, np.int32)),
        "image_sha256": [drawn.bytes(32).hex() for _ in names],
        "encoder_version": ["v1"] * count,
        "gutter_panel_count": pa.array(np.ones(count, np.int32)),
        "gutter_panel_subtype": ["one"] * count,
        "vector": vector_column(vectors),
    }
    return pa.table(columns)


def fit(lake: Lake) -> None:
    fit_cluster_model(lake, ENCODER, seed=0)


def annotate(lake: Lake) -> None:
    for cell in embedding_partitions(lake, ENCODER):
        annotate_partition(lake, cell)


STAGES = {"fit": fit, "annotate": annotate}


def in_its_own_process(stage: str, root: str) -> tuple[float, float]:
    """Run one stage. Shape: (seconds, peak resident MiB)."""
    answer = subprocess.run(
        [sys.executable, __file__, "--stage", stage, root], capture_output=True, text=True, check=True
    )
    seconds, peak = answer.stdout.split()
    return float(seconds), float(peak)


def peak_mib() -> float:
    """Read this program's own peak: ru_maxrss would count its parent's too."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--dimensions", type=int, default=1024)
    parser.add_argument("--cells", type=int, default=20)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--stage", nargs=2, metavar=("STAGE", "LAKE"))
    arguments = parser.parse_args()
    if arguments.stage:
        start = time.perf_counter()
        STAGES[arguments.stage[0]](Lake(arguments.stage[1]))
        print(time.perf_counter() - start, peak_mib())
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as root:
        write(Lake(root), arguments.images, arguments.dimensions, arguments.cells)
        print(f"| {arguments.images:,} vectors of {arguments.dimensions} | seconds | peak MiB |\n|---|---:|---:|")
        for stage in STAGES:
            seconds, peak = in_its_own_process(stage, root)
            print(f"| {stage} | {seconds:.0f} | {peak:.0f} |", flush=True)
        everything = arguments.images * arguments.dimensions * 4 / 2**20
        print(f"| all vectors as float32, for comparison | | {everything:.0f} |")


if __name__ == "__main__":
    main()
