"""Embeddings: decoding against a full-size Pillow decode, ONNX Runtime against torch, and how busy the model is.

    python benchmarks/embeddings.py [--images 512] [--repeats 5]

Large JPEGs are drawn in the run (12 MP, grain like a scan's). The busy share is the time inside the encoder over the
wall time of `embed_partition` on a lake of such images, decoding included.
"""

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
from PIL import Image

from pmc_assets import schema
from pmc_assets.annotations.decoding import square
from pmc_assets.annotations.efficientnet import TorchEncoder, _torch_model
from pmc_assets.annotations.embed import embed_partition
from pmc_assets.annotations.encoders import load_encoder
from pmc_assets.figures.images import read_image_facts
from pmc_assets.figures.pixels import decode
from pmc_assets.lake import Lake, Partition

SIDE_PX = 224
CELL = Partition.of(license_group="other", batch="PMC00000xxxx")


def drawn_jpeg(seed: int, width_px: int, height_px: int) -> bytes:
    drawn = np.random.default_rng(seed)
    coarse = drawn.integers(0, 255, (height_px // 40, width_px // 40, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width_px, height_px), Image.Resampling.BICUBIC)
    grain = np.asarray(image).astype(np.int16) + drawn.integers(-6, 7, (height_px, width_px, 1), dtype=np.int16)
    content = io.BytesIO()
    Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8)).save(content, "JPEG", quality=85)
    return content.getvalue()


def median_ms(repeats: int, jobs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Time jobs in turn, so that a busy moment of the machine falls on all of them."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def pillow_full(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        rgb = image.convert("RGB")
        rgb.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR, reducing_gap=None)
        return np.asarray(rgb)


class TimedEncoder:
    """An encoder that counts the seconds it works."""

    def __init__(self, encoder) -> None:
        self.encoder, self.seconds = encoder, 0.0

    def __getattr__(self, name: str):
        return getattr(self.encoder, name)

    def encode(self, images: np.ndarray) -> np.ndarray:
        start = time.perf_counter()
        vectors = self.encoder.encode(images)
        self.seconds += time.perf_counter() - start
        return vectors


def image_lake(folder: str, images: int) -> Lake:
    """Write a lake of `images` distinct 2 MP JPEGs (one drawing, other trailing bytes)."""
    lake, rows, part = Lake(folder), [], bytearray()
    jpegs = [drawn_jpeg(seed, 1600, 1200) for seed in range(8)]
    for number in range(images):
        content = jpegs[number % len(jpegs)] + number.to_bytes(4, "big")
        facts = read_image_facts(content)
        rows.append(
            {name: getattr(facts, name) for name in facts.__slots__}
            | {"pmcid": f"PMC{number + 1}", "version": 1, "figure_index": 0, "graphic_index": 0, "graphic_ref": "g"}
            | {"image_name": "g.jpg", "part_path": "part.tar", "offset_bytes": len(part), "size_bytes": len(content)}
        )
        part += content
    lake.write_bytes("part.tar", bytes(part))
    lake.write_table(schema.CORE_IMAGES, schema.CORE_IMAGES.from_rows(rows), CELL)
    return lake


def busy_share(lake: Lake, threads: int) -> tuple[float, float]:
    """Embed the lake's images anew. Shape: (share of the wall time inside the encoder, images/s)."""
    lake.delete("core/embeddings")
    encoder = TimedEncoder(load_encoder("efficientnet-lite0", lake, threads=threads))
    start = time.perf_counter()
    result = embed_partition(lake, CELL, encoder, workers=1)
    wall = time.perf_counter() - start
    return encoder.seconds / wall, result.stored / wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    pa.set_cpu_count(1)
    large, typical = drawn_jpeg(1, 4000, 3000), drawn_jpeg(2, 1000, 750)
    print("| one image, one core | ms (median) | times |\n|---|---:|---:|")
    for name, content in (("12 MP JPEG", large), ("0.75 MP JPEG", typical)):
        jobs = {
            "Pillow, full size": lambda content=content: pillow_full(content),
            "here, with the panels' size": lambda content=content: square(decode(content, SIDE_PX).rgb, SIDE_PX, 127),
            "facts of core.images": lambda content=content: read_image_facts(content),
        }
        medians = median_ms(arguments.repeats, jobs)
        for job, value in medians.items():
            print(f"| {name}: {job} | {value:.1f} | {medians['Pillow, full size'] / value:.1f} |")
    with tempfile.TemporaryDirectory() as folder:
        lake = image_lake(folder, arguments.images)
        onnx = load_encoder("efficientnet-lite0", lake, threads=1)
        torch_encoder = TorchEncoder(onnx.version, _torch_model())
        batch = np.random.default_rng(3).integers(0, 255, (16, SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
        import torch

        torch.set_num_threads(1)
        jobs = {"torch": lambda: torch_encoder.encode(batch), "ONNX Runtime": lambda: onnx.encode(batch)}
        medians = median_ms(arguments.repeats, jobs)
        print("\n| EfficientNet-Lite0, 16 images, one thread | images/s | times |\n|---|---:|---:|")
        for name, value in medians.items():
            print(f"| {name} | {16_000 / value:.0f} | {medians['torch'] / value:.1f} |")
        shares = [busy_share(lake, threads=1) for _ in range(3)]
        share, speed = (statistics.median(column) for column in zip(*shares, strict=True))
        print(f"\n| {arguments.images} JPEGs of 2 MP through `embed_partition` | |\n|---|---:|")
        print(f"| model busy, share of wall time | {share:.2f} |\n| images/s | {speed:.0f} |")


if __name__ == "__main__":
    main()
