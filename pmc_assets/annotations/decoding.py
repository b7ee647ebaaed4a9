"""Squares of pixels for an encoder, decoded ahead of it by other threads or processes. The encoder stays out."""

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from PIL import Image

from pmc_assets.figures.pixels import ImageTooLarge, UnreadableImage, decode
from pmc_assets.lake import Lake

PROCESSES_FROM_IMAGES = 2_000
"""Below this many images, starting worker processes costs more than it gains over threads."""
BATCHES_AHEAD = 3


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """Where the bytes of one image are in the lake."""

    image_sha256: str
    part_path: str
    offset_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Squares:
    """One batch: `pixels` uint8 (n, side, side, 3) of the images in `digests`; `failures` maps the others to why."""

    digests: tuple[str, ...]
    pixels: np.ndarray
    failures: dict[str, str]


def square(content: bytes, side_px: int, pad_grey: int) -> np.ndarray:
    """Decode an image into a square: its aspect ratio kept, centred, the rest filled with grey.

    Shape: uint8 (side_px, side_px, 3).
    Raises: UnreadableImage, ImageTooLarge.
    """
    rgb = decode(content, side_px).rgb
    scale = side_px / max(rgb.size)
    size = max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale))
    fitted = rgb.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    canvas = Image.new("RGB", (side_px, side_px), (pad_grey,) * 3)
    canvas.paste(fitted, ((side_px - size[0]) // 2, (side_px - size[1]) // 2))
    return np.asarray(canvas)


def read_squares(lake_url: str, places: list[ImagePlace], side_px: int, pad_grey: int) -> Squares:
    """Read and decode one batch of images."""
    lake = Lake(lake_url)
    pixels: dict[str, np.ndarray] = {}
    failures: dict[str, str] = {}
    for place in places:
        content = lake.read_bytes(place.part_path, place.offset_bytes, place.size_bytes)
        try:
            pixels[place.image_sha256] = square(content, side_px, pad_grey)
        except (UnreadableImage, ImageTooLarge) as error:
            failures[place.image_sha256] = str(error)
    stacked = np.stack(list(pixels.values())) if pixels else np.zeros((0, side_px, side_px, 3), np.uint8)
    return Squares(tuple(pixels), stacked, failures)


def stream_squares(
    lake_url: str, places: list[ImagePlace], side_px: int, pad_grey: int, batch_images: int, workers: int
) -> Iterator[Squares]:
    """Decode batches ahead of their use, in order, with a bounded number under way."""
    starts = range(0, len(places), batch_images)
    waiting = (places[start : start + batch_images] for start in starts)
    with _pool(len(places), workers) as pool:
        under_way: deque[Future[Squares]] = deque()
        for batch in islice(waiting, workers + BATCHES_AHEAD):
            under_way.append(pool.submit(read_squares, lake_url, batch, side_px, pad_grey))
        while under_way:
            squares = under_way.popleft().result()
            under_way.extend(
                pool.submit(read_squares, lake_url, batch, side_px, pad_grey) for batch in islice(waiting, 1)
            )
            yield squares


def _pool(images: int, workers: int) -> Executor:
    if images < PROCESSES_FROM_IMAGES:
        return ThreadPoolExecutor(max(1, workers))
    return ProcessPoolExecutor(max(1, workers), mp_context=multiprocessing.get_context("spawn"))
