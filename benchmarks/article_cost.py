"""CPU of every stage from fetch to shard for the average article of PMC: 91 kB of JATS and 4 images of 0.6 MB.

    python -m benchmarks.article_cost [--articles 200]

With its PDF and text, which are not fetched by default, that is the article of 7 objects and 4 MB. The server is another
process; CPU is that of this one (user and system), which other load changes little. The images
are photographs-like JPEGs of 1.6 MP; an article without them costs what `article XML` says.
"""

import argparse
import contextlib
import hashlib
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image

from assets_tests.small_bucket import SmallBucket
from pmc_assets.figures.parse import parse_partition
from pmc_assets.filelists.article_versions import update_article_versions
from pmc_assets.filelists.filelists import write_filelists
from pmc_assets.filelists.inventory import inventory_batches, take_inventory
from pmc_assets.lake import Lake, Partition
from pmc_assets.packages.store import store_packages
from pmc_assets.shards.jsonl import write_jsonl
from pmc_assets.shards.parquet import write_parquet
from pmc_assets.shards.samples import make_samples
from pmc_assets.shards.write import write_shards
from pmc_assets.source.open import open_source

ARTICLES, IMAGES = 200, 4
SIDES_PX = (1_460, 1_100)
JPEG_QUALITY = 93
XML_BYTES = 91_000
GOAL_MS = 60.0
BATCH_IDS = 10_000
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    articles = parser.parse_args().articles
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        folder = Path(name)
        size_bytes = write_bucket(folder / "bucket", articles)
        with _served(folder / "bucket") as url:
            costs = measure(url, Lake((folder / "lake").as_uri()), articles)
        floor = _floor_ms(folder / "bucket", articles)
    print(f"{articles} articles of {size_bytes / articles / 1e6:.2f} MB, {IMAGES} images each\n")
    print("| stage | CPU ms an article |\n|---|---:|")
    for stage, cost_ms in costs.items():
        print(f"| {stage} | {cost_ms:.1f} |")
    print(f"| **fetch to shard** | **{sum(costs.values()):.1f}** (goal {GOAL_MS:.0f}) |")
    print(f"| floor: read, md5, write the same bytes | {floor:.1f} |")


def write_bucket(root: Path, articles: int) -> int:
    """Write average articles in NLM's layout; gives their bytes."""
    bucket, chance = SmallBucket(root), np.random.default_rng(0)
    pictures = [_picture(chance) for _ in range(IMAGES)]
    size_bytes = 0
    for number in range(articles):
        media = {f"g{n:03}.jpg": picture + number.to_bytes(4, "big") for n, picture in enumerate(pictures, 1)}
        pmcid = f"PMC{10_000_000 + number}"
        bucket.add(pmcid, media=media, title=pmcid)
        path = root / f"{pmcid}.1" / f"{pmcid}.1.xml"
        path.write_bytes(_with_text(path.read_bytes()))
        bucket.change(pmcid, xml_url=f"s3://pmc-oa-opendata/{path.relative_to(root)}?md5={_md5(path)}")
        size_bytes += path.stat().st_size + sum(map(len, media.values()))
    bucket.publish("2026-11-20")
    return size_bytes


def _picture(chance: np.random.Generator) -> bytes:
    base = Image.effect_mandelbrot(SIDES_PX, (-2.2, -1.3, 0.9, 1.6), 60).convert("RGB")
    noisy = np.asarray(base).astype(np.int16) + chance.integers(-14, 15, (SIDES_PX[1], SIDES_PX[0], 3))
    content = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(content, "JPEG", quality=JPEG_QUALITY)
    return content.getvalue()


def _with_text(xml: bytes) -> bytes:
    paragraph = (
        b"<p>As <xref ref-type='fig' rid='f1'>Figure 1</xref> shows, " + b"words follow words here. " * 20 + b"</p>"
    )
    sections = b"".join(b"<sec><title>Part</title>" + paragraph * 5 + b"</sec>" for _ in range(XML_BYTES // 3_000))
    return xml.replace(b"<body>", b"<body>" + sections)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


@contextlib.contextmanager
def _served(root: Path) -> Iterator[str]:
    server = Path(__file__).parents[1] / "assets_tests" / "faulty_server.py"
    process = subprocess.Popen(
        [sys.executable, str(server), str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process.stdout.readline().strip()  # type: ignore[union-attr]
    finally:
        process.communicate()


def measure(url: str, lake: Lake, articles: int) -> dict[str, float]:
    """Run the stages of one cell one after the other; CPU milliseconds an article of each."""
    costs: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], object]) -> None:
        started = time.process_time()
        work()
        costs[stage] = (time.process_time() - started) * 1_000 / articles

    with contextlib.closing(open_source(url)) as source:
        timed("raw/inventory", lambda: take_inventory(source, lake, BATCH_IDS))
        [batch] = inventory_batches(lake)
        cell = Partition.of(license_group="commercial", batch=batch)
        timed("raw/article_versions", lambda: update_article_versions(source, lake, batch, NOW))
        timed("raw/filelists", lambda: write_filelists(lake, batch))
        timed("raw/packages: fetch, md5, store", lambda: store_packages(source, lake, cell))
    timed("core: articles, figures, images, mentions, subcaptions", lambda: parse_partition(lake, cell, workers=1))
    timed("out/samples", lambda: make_samples(lake, cell))
    timed("out/shards", lambda: write_shards(lake, cell))
    timed("out/parquet", lambda: write_parquet(lake, cell))
    timed("out/jsonl", lambda: write_jsonl(lake, cell))
    return costs


def _floor_ms(bucket: Path, articles: int) -> float:
    started = time.process_time()
    for path in bucket.glob("PMC*/*"):
        content = path.read_bytes()
        hashlib.md5(content, usedforsecurity=False).digest()
        path.with_suffix(".copy").write_bytes(content)
    return (time.process_time() - started) * 1_000 / articles


if __name__ == "__main__":
    main()
