"""Compare the writing of shards with webdataset.TarWriter and with cp, and measure its memory.

    python benchmarks/shards.py [--samples 8000] [--image-bytes 250000] [--rounds 3] [--folder /tmp]

Each round runs the three one after another on the same samples, warm page cache; medians and ratios are printed.
"""

import argparse
import gc
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import webdataset as wds

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.shards import tar
from pmc_assets.shards.samples import make_samples
from pmc_assets.shards.write import write_shards

PARTITION = Partition.of(license_group="commercial", batch="PMC01000xxxx")
FIGURES_PER_ARTICLE = 5
PART_BYTES = 256 * 2**20


def make_lake(lake: Lake, samples: int, image_bytes: int) -> None:
    """Fill one partition: incompressible bytes that begin like a JPEG, texts of usual length."""
    random = np.random.default_rng(0)
    folder = lake.partition_path("raw.packages", PARTITION)
    Path(lake.full_path(folder)).mkdir(parents=True)
    names = ("raw.filelists", "core.articles", "core.figures", "core.images", "core.mentions")
    tables = [schema.TABLES[name] for name in names]
    part, path, file = -1, "", None
    with lake.writers(tables, PARTITION) as writers:
        for article in range(-(-samples // FIGURES_PER_ARTICLE)):
            rows = {name: [] for name in names}
            add_article(rows, article)
            for figure in range(FIGURES_PER_ARTICLE):
                if file is None or file.tell() > PART_BYTES:
                    part += 1
                    path = f"{folder}/part-{part:05d}.tar"
                    file = Path(lake.full_path(path)).open("wb")  # noqa: SIM115
                content = b"\xff\xd8\xff\xe0" + random.bytes(int(image_bytes * random.uniform(0.3, 1.7)))
                offset = file.tell() + tar.BLOCK_BYTES
                file.write(tar.member(f"f{figure}.jpg", content))
                add_figure(rows, article, figure, path, offset, content)
            for table in tables:
                writers[table.name].append(table.from_rows(rows[table.name]))
    file.close()


def add_article(rows: dict, article: int) -> None:
    key = {"pmcid": f"PMC{10_000_000 + article}", "version": 1}
    rows["raw.filelists"].append(key | {"license_code": "CC BY", "media_urls": []})
    rows["core.articles"].append(
        key
        | {"title": f"Title {article} " * 10, "abstract": f"Sentence {article} of an abstract. " * 50}
        | {"keywords": ["one", "two"], "license_code": "CC BY", "is_retracted": False, "is_recovered": False}
        | {"reference_pmids": list(range(40)), "reference_count": 40, "year": 2020}
    )


def add_figure(rows: dict, article: int, figure: int, path: str, offset: int, content: bytes) -> None:
    key = {"pmcid": f"PMC{10_000_000 + article}", "version": 1, "figure_index": figure}
    rows["core.figures"].append(
        key
        | {"kind": "figure", "figure_id": f"F{figure}", "figure_label": f"Figure {figure}"}
        | {"caption": f"Caption {figure} of article {article}. " * 25}
    )
    for index in range(2):
        rows["core.mentions"].append(key | {"mention_index": index, "text": f"As Figure {figure} shows. " * 40})
    rows["core.images"].append(
        key
        | {"graphic_index": 0, "graphic_ref": f"f{figure}", "image_name": f"f{figure}.jpg", "format": "jpeg"}
        | {"width_px": 800, "height_px": 600, "mode": "RGB", "frame_count": 1, "size_bytes": len(content)}
        | {"image_sha256": hashlib.sha256(content).hexdigest(), "image_phash": 1}
        | {"part_path": path, "offset_bytes": offset}
    )


def read_members(lake: Lake, shards: list[str]) -> list[tuple[str, str, int, int, str, dict]]:
    """Give the samples as TarWriter wants them, ready in memory but for the image's bytes."""
    import pyarrow.parquet as pq

    samples = []
    for path in shards:
        full = lake.full_path(path)
        for row in pq.read_table(full.replace(".tar", ".parquet"), partitioning=None).to_pylist():
            member = json.loads(lake.read_bytes(path, row["json_offset_bytes"], row["json_size_bytes"]))
            place = (full, row["image_offset_bytes"], row["image_size_bytes"])
            samples.append((row["sample_key"], *place, row["caption"], member))
    return samples


def write_with_tarwriter(samples: list[tuple], target: Path) -> None:
    """Write the same members by webdataset.TarWriter: it encodes caption and JSON itself."""
    opened: dict[str, int] = {}
    with wds.TarWriter(str(target)) as writer:
        for key, path, offset, size, caption, member in samples:
            if path not in opened:
                opened[path] = os.open(path, os.O_RDONLY)
            image = os.pread(opened[path], size, offset)
            writer.write({"__key__": key, "jpg": image, "txt": caption, "json": member})


def copy(lake: Lake, shards: list[str], target: Path) -> None:
    for number, path in enumerate(shards):
        subprocess.run(["cp", lake.full_path(path), str(target / f"{number}.tar")], check=True)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Give the wall time and the processor time (of this process and those it waited for), others' writes done."""
    os.sync()
    started, used = time.perf_counter(), sum(os.times()[:4])
    work()
    return time.perf_counter() - started, sum(os.times()[:4]) - used


MEASURED = """
from pathlib import Path
from pmc_assets.lake import Lake, Partition
from pmc_assets.shards.write import write_shards
write_shards(Lake({root!r}), Partition({values!r}))
[peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(int(peak.split()[1]) // 1024)
"""


def peak_mib(root: Path) -> int:
    """Measure the peak memory of a process that does nothing but write the shards."""
    command = [sys.executable, "-c", MEASURED.format(root=str(root), values=PARTITION.values)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def medians(measured: list[tuple[float, float]]) -> tuple[float, float]:
    walls, used = zip(*measured, strict=True)
    return statistics.median(walls), statistics.median(used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=8_000)
    parser.add_argument("--image-bytes", type=int, default=250_000, help="mean; that of real articles")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=None, help="where to work (default: the temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        compare(Path(folder), arguments.samples, arguments.image_bytes, arguments.rounds)


def compare(folder: Path, samples: int, image_bytes: int, rounds: int) -> None:
    lake = Lake(str(folder / "lake"))
    make_lake(lake, samples, image_bytes)
    sampling, _ = seconds(lambda: make_samples(lake, PARTITION))
    shards = write_shards(lake, PARTITION).paths
    members = read_members(lake, shards)
    gc.freeze()  # TarWriter's ready-made samples are not looked through while others are measured
    size = sum(lake.size_bytes(path) for path in shards)
    times: dict[str, list[tuple[float, float]]] = {"write_shards": [], "webdataset.TarWriter": [], "cp": []}
    out = folder / "out"
    for _ in range(rounds):
        lake.delete(lake.partition_path("out.shards", PARTITION))
        times["write_shards"].append(seconds(lambda: write_shards(lake, PARTITION)))
        out.mkdir()
        times["webdataset.TarWriter"].append(seconds(lambda: write_with_tarwriter(members, out / "t.tar")))
        shutil.rmtree(out)
        out.mkdir()
        times["cp"].append(seconds(lambda: copy(lake, shards, out)))
        shutil.rmtree(out)
    gc.unfreeze()
    print(f"{len(members):,} samples, {size / 1e6:,.0f} MB, median of {rounds}\n")
    print("| what | seconds | processor seconds | samples/s | MB/s | seconds, of write_shards | processor, of it |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    own_wall, own_used = medians(times["write_shards"])
    for name, measured in times.items():
        wall, used = medians(measured)
        speed = f"{len(members) / wall:,.0f} | {size / wall / 1e6:,.0f}"
        print(f"| {name} | {wall:.2f} | {used:.2f} | {speed} | {wall / own_wall:.2f} × | {used / own_used:.2f} × |")
    print(f"\nout.samples of the same: {sampling:.2f} s. Peak memory of write_shards: {peak_mib(folder / 'lake')} MiB")


if __name__ == "__main__":
    main()
