"""The facts of one image file: what it is, its hashes and its grey and colour statistics, all from one decode."""

import hashlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pmc_assets.figures.pixels import decode

FACTS_SIDE_PX = 64
PHASH_SIDE_PX = 32
PHASH_FREQUENCIES = 8
_STEPS = np.arange(PHASH_SIDE_PX)
_DCT = np.cos(np.pi / PHASH_SIDE_PX * (_STEPS + 0.5)[None, :] * np.arange(PHASH_FREQUENCIES)[:, None])

_OPPONENTS = np.array([[1.0, -1.0, 0.0], [0.5, 0.5, -1.0]])  # red - green, yellow - blue


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Columns of `core.images` that come from the bytes alone, under the same names."""

    format: str
    width_px: int
    height_px: int
    mode: str
    frame_count: int
    image_sha256: str
    image_phash: int
    grey_mean: float
    grey_std: float
    colorfulness: float


def read_image_facts(content: bytes) -> ImageFacts:
    """Read every fact of one image file; the first frame is the image.

    The whole stream is decoded, at reduced size: facts exist only for an image that is whole.

    Units: px; grey values 0 to 255; the hash is an unsigned 64-bit number.
    Raises: UnreadableImage, ImageTooLarge.
    """
    decoded = decode(content, FACTS_SIDE_PX)
    grey = decoded.rgb.convert("L")
    grey_values = np.asarray(grey, dtype=np.float32)
    return ImageFacts(
        format=decoded.format,
        width_px=decoded.width_px,
        height_px=decoded.height_px,
        mode=decoded.mode,
        frame_count=decoded.frame_count,
        image_sha256=hashlib.sha256(content).hexdigest(),
        image_phash=perceptual_hash(grey),
        grey_mean=float(grey_values.mean(dtype=np.float64)),
        grey_std=float(grey_values.std(dtype=np.float64)),
        colorfulness=colorfulness(decoded.rgb),
    )


def perceptual_hash(grey: Image.Image) -> int:
    """Hash what a grey image looks like: the signs of its 64 lowest frequencies against their median.

    Source: the DCT hash of Zauner (2010); images that look alike differ in few of the 64 bits.
    """
    small = np.asarray(grey.resize((PHASH_SIDE_PX, PHASH_SIDE_PX), Image.Resampling.BOX), dtype=np.float64)
    frequencies = np.round(_DCT @ small @ _DCT.T, 3).ravel()
    bits = frequencies > np.median(frequencies[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def colorfulness(rgb: Image.Image) -> float:
    """Measure how colourful an RGB image looks; 0 for grey.

    Source: Hasler and Suesstrunk, Measuring colourfulness in natural images (2003), M3.
    """
    pixels = np.asarray(rgb).reshape(-1, 3).astype(np.float64)
    # Sums of whole numbers are exact in any order, so that every machine gives the same value.
    mean = np.ones(len(pixels)) @ pixels / len(pixels)
    covariance = pixels.T @ pixels / len(pixels) - np.outer(mean, mean)
    spread = np.sqrt(np.clip(np.diag(_OPPONENTS @ covariance @ _OPPONENTS.T), 0.0, None))
    return float(np.hypot(*spread) + 0.3 * np.hypot(*(_OPPONENTS @ mean)))
