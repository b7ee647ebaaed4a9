"""Bytes of the sample's media files: encoded pictures, and the faults that real packages have."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from pmc_assets.sample.drawing.panels import draw_panels
from pmc_assets.sample.figure_plan import MediaFile, Picture

PLACEHOLDER = b"GIF"
BOMB_SIDE_PX = 60_000
TWIN_WIDTH_PX = 180


def draw_picture(picture: Picture) -> Image.Image:
    rng = np.random.default_rng(picture.seed_key)
    return draw_panels(rng, picture.classes, picture.rows, picture.width_px, picture.height_px, picture.letters)


def media_bytes(files: tuple[MediaFile, ...]) -> list[tuple[MediaFile, bytes]]:
    """Make the bytes of one graphic's files; their common picture is drawn once."""
    drawn: Image.Image | None = None
    made = []
    for file in files:
        if file.picture is None:
            made.append((file, binary_bytes(file)))
            continue
        drawn = drawn or draw_picture(file.picture)
        made.append((file, _faulty(file, _encode(drawn, file))))
    return made


def binary_bytes(file: MediaFile) -> bytes:
    """Make bytes of a file that is no picture: an MP4's or a zip's first bytes, then the name."""
    magic = b"\x00\x00\x00\x18ftypmp42" if file.name.endswith("mp4") else b"PK\x03\x04"
    return magic + file.name.encode() * 20


def _encode(image: Image.Image, file: MediaFile) -> bytes:
    buffer = io.BytesIO()
    if file.format == "gif":
        small = image.resize((TWIN_WIDTH_PX, max(1, TWIN_WIDTH_PX * image.height // image.width)))
        small.quantize(64, Image.Quantize.FASTOCTREE).save(buffer, "GIF")
    elif file.format == "jpeg":
        assert file.picture is not None
        image.save(buffer, "JPEG", quality=file.picture.quality)
    elif file.format == "png":
        image.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, "PNG", compress_level=3)
    else:
        image.save(buffer, "TIFF", compression="tiff_lzw")
    return buffer.getvalue()


def _faulty(file: MediaFile, whole: bytes) -> bytes:
    match file.fault:
        case "placeholder":
            return PLACEHOLDER
        case "truncated":
            return whole[: len(whole) // 3]
        case "bomb":
            return bomb_png()
    return whole


def bomb_png() -> bytes:
    """Make a PNG of a few bytes that declares 60,000 x 60,000 px."""
    header = struct.pack(">IIBBBBB", BOMB_SIDE_PX, BOMB_SIDE_PX, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(64))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
