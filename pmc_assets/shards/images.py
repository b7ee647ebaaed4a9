"""Image bytes of samples: read from the lake's tar parts, turned into JPEG where they are not. Layout stays out."""

import contextlib
import io
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pyarrow as pa
from PIL import Image

from pmc_assets.figures.pixels import to_grey8, to_rgb
from pmc_assets.lake import Lake
from pmc_assets.processes import ordered

JPEG_QUALITY = 95
READS_AT_ONCE = 16

Place = tuple[str, int, int]


class CannotTranscode(ValueError):
    """An image cannot be written as JPEG."""


class ImageReader:
    """Reads files of a lake by (part_path, offset in bytes, size in bytes); keeps each part of a local lake open."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._parts: dict[str, int] = {}

    def __enter__(self) -> "ImageReader":
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self._parts.values():
            os.close(descriptor)
        self._parts.clear()

    def read(self, place: Place) -> bytes:
        """Read one file. Raises: EOFError if the part ends early."""
        part_path, offset, size = place
        if self.lake.is_local:
            content = os.pread(self._descriptor(place), size, offset)
        else:
            content = self.lake.read_bytes(part_path, offset, size)
        self._check(place, len(content))
        return content

    def _descriptor(self, place: Place) -> int:
        part_path, _, _ = place
        if part_path not in self._parts:
            self._parts[part_path] = os.open(self.lake.full_path(part_path), os.O_RDONLY)
        return self._parts[part_path]

    def _check(self, place: Place, read_bytes: int) -> None:
        part_path, offset, size = place
        if read_bytes != size:
            raise EOFError(f"{part_path} ends before byte {offset + size}: rerun raw/packages of this partition")

    def read_array(self, places: list[Place]) -> pa.BinaryArray:
        """Read files in order into one Arrow array; those of a local lake are copied nowhere else."""
        ends = np.cumsum([0, *(size for _, _, size in places)], dtype=np.int32)
        buffer = pa.allocate_buffer(int(ends[-1]))
        view = memoryview(buffer).cast("B")
        for fill, (start, end) in zip(self.fillers(places), itertools.pairwise(ends), strict=True):
            fill(view[start:end])
        return pa.BinaryArray.from_buffers(pa.binary(), len(places), [None, pa.py_buffer(ends), buffer])

    def fillers(self, places: Iterable[Place]) -> Iterator[Callable[[memoryview], None]]:
        """Give for each file, in order, what reads it into a buffer of its size; nothing else is copied or kept."""
        if self.lake.is_local:
            yield from (partial(self._read_into, place) for place in places)
        else:
            yield from (partial(_copy_into, content) for content in self.read_all(places))

    def _read_into(self, place: Place, buffer: memoryview) -> None:
        self._check(place, os.preadv(self._descriptor(place), [buffer], place[1]))

    def read_all(self, places: Iterable[Place]) -> Iterator[bytes]:
        """Read files in order; of a remote lake, `READS_AT_ONCE` are under way at a time."""
        if self.lake.is_local:
            yield from map(self.read, places)
            return
        with ThreadPoolExecutor(READS_AT_ONCE) as pool:
            yield from ordered(pool, self.read, places, READS_AT_ONCE)


def _copy_into(content: bytes, buffer: memoryview) -> None:
    buffer[:] = content


def to_jpeg(content: bytes) -> bytes:
    """Encode an image of any format as JPEG: first frame, quality 95, 4:4:4, transparency on white.

    Grey values of more than 8 bits become what the encoder sees (`to_grey8`); size in px and orientation stay as they
    are.
    Raises: CannotTranscode.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            flat = _flatten(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise CannotTranscode(f"{type(error).__name__}: {error}") from error
    encoded = io.BytesIO()
    with contextlib.closing(flat):
        try:
            flat.save(encoded, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
        except (OSError, ValueError) as error:
            raise CannotTranscode(f"{type(error).__name__}: {error}") from error
    return encoded.getvalue()


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return to_grey8(image)
    if image.mode in ("1", "L") and not image.has_transparency_data:
        return image.convert("L")
    return to_rgb(image)
