"""Squares of pixels for an encoder, decoded ahead of it by other threads or processes. The encoder stays out."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from pmc_assets.annotations.panels import SIDE_PX as PANELS_SIDE_PX
from pmc_assets.annotations.panels import Panels, find_panels
from pmc_assets.figures.pixels import ImageTooLarge, UnreadableImage, decode
from pmc_assets.lake import Lake
from pmc_assets.processes import ordered, process_pool

PROCESSES_FROM_IMAGES = 2_000
"""Below this many images, starting worker processes costs more than it gains over threads."""
BATCHES_AHEAD = 4


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """Where the bytes of one image are in the lake."""

    image_sha256: str
    part_path: str
    offset_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Squares:
    """One batch: `pixels` uint8 (n, side, side, 3) and `panels` of the images in `digests`.

    `failures` maps the others to why.
    """

    digests: tuple[str, ...]
    pixels: np.ndarray
    panels: tuple[Panels, ...]
    failures: dict[str, str]


def square(rgb: Image.Image, side_px: int, pad_grey: int) -> np.ndarray:
    """Fit an image into a square: its aspect ratio kept, centred, the rest filled with grey.

    Shape: uint8 (side_px, side_px, 3).
    """
    scale = side_px / max(rgb.size)
    size = max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale))
    fitted = rgb.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    canvas = Image.new("RGB", (side_px, side_px), (pad_grey,) * 3)
    canvas.paste(fitted, ((side_px - size[0]) // 2, (side_px - size[1]) // 2))
    return np.asarray(canvas)


def read_squares(lake_url: str, places: list[ImagePlace], side_px: int, pad_grey: int) -> Squares:
    """Read and decode one batch of images, each once, for the encoder and for the panels."""
    lake = Lake(lake_url)
    pixels: dict[str, np.ndarray] = {}
    panels: list[Panels] = []
    failures: dict[str, str] = {}
    for place in places:
        content = lake.read_bytes(place.part_path, place.offset_bytes, place.size_bytes)
        try:
            rgb = decode(content, max(side_px, PANELS_SIDE_PX)).rgb
        except (UnreadableImage, ImageTooLarge) as error:
            failures[place.image_sha256] = str(error)
            continue
        pixels[place.image_sha256] = square(rgb, side_px, pad_grey)
        panels.append(find_panels(rgb))
    stacked = np.stack(list(pixels.values())) if pixels else np.zeros((0, side_px, side_px, 3), np.uint8)
    return Squares(tuple(pixels), stacked, tuple(panels), failures)


def stream_squares(
    lake_url: str, places: list[ImagePlace], side_px: int, pad_grey: int, batch_images: int, workers: int
) -> Iterator[Squares]:
    """Decode batches ahead of their use, in order, with a bounded number under way."""
    starts = range(0, len(places), batch_images)
    batches = (places[start : start + batch_images] for start in starts)
    read = partial(read_squares, lake_url, side_px=side_px, pad_grey=pad_grey)
    with _pool(len(places), workers) as pool:
        yield from ordered(pool, read, batches, workers + BATCHES_AHEAD)


def _pool(images: int, workers: int) -> AbstractContextManager[Executor]:
    if images < PROCESSES_FROM_IMAGES:
        return ThreadPoolExecutor(max(1, workers))
    return process_pool(max(1, workers))
