"""Decode one image file once, reduced while decoding where its format can. What the pixels mean stays out."""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP")
MAX_IMAGE_PX = 2 * 89_478_485  # where Pillow itself speaks of a decompression bomb
MAX_FRAME_COUNT = 10_000
_PNG_END = b"IEND\xaeB`\x82"
_HARMLESS = ("Unknown Adobe color transform", "Invalid SOS parameters", "version number")  # of the header, not the data
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
)


class UnreadableImage(ValueError):
    """The bytes are not one whole image of a format that is read here."""


class ImageTooLarge(ValueError):
    """The header declares more pixels than MAX_IMAGE_PX."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded image: `rgb` may be smaller than `width_px` x `height_px`; transparency is laid on white."""

    rgb: Image.Image
    format: str
    mode: str
    width_px: int
    height_px: int
    frame_count: int


def decode(content: bytes, min_side_px: int) -> Decoded:
    """Decode the first frame to 8-bit RGB; a JPEG by its DCT to the smallest size of 1/1 to 1/8 above `min_side_px`.

    The whole stream is read whatever the size: an image that comes back is whole.

    Units: px for both sides; other formats are box-reduced after decoding, by any whole factor.
    Raises: UnreadableImage, ImageTooLarge.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                return _decode_open(image, content, min_side_px)
        except Image.DecompressionBombError as error:
            raise ImageTooLarge(str(error)) from error
        except (UnreadableImage, ImageTooLarge):
            raise
        except UnidentifiedImageError as error:
            raise UnreadableImage(f"{len(content)} bytes that are no known image format") from error
        except _BROKEN as error:
            raise UnreadableImage(f"{type(error).__name__}: {error}") from error


def _decode_open(image: Image.Image, content: bytes, min_side_px: int) -> Decoded:
    width_px, height_px, mode = image.width, image.height, image.mode
    if width_px * height_px > MAX_IMAGE_PX:
        raise ImageTooLarge(f"{width_px} x {height_px} px is over the limit of {MAX_IMAGE_PX} px")
    frame_count = _frame_count(image)
    if image.format in ("JPEG", "MPO"):
        rgb = _decode_jpeg(image, content, min_side_px)
        return Decoded(rgb, "jpeg", mode, width_px, height_px, frame_count)
    if image.format == "PNG" and _PNG_END not in content:
        raise UnreadableImage("the PNG has no end chunk: it is cut off")
    image.load()
    rgb = _reduced(to_rgb(image), min_side_px)
    return Decoded(rgb, str(image.format).lower(), mode, width_px, height_px, frame_count)


def _decode_jpeg(image: Image.Image, content: bytes, min_side_px: int) -> Image.Image:
    """Decode a JPEG strictly: what decoders patch over in silence (holes, a cut that ends in a marker) is an error."""
    colorspace = "CMYK" if image.mode == "CMYK" else "RGB"
    smallest = {"min_height": min(min_side_px, image.height), "min_width": min(min_side_px, image.width)}
    try:
        values = simplejpeg.decode_jpeg(content, colorspace, min_factor=1, strict=True, **smallest)
    except ValueError as error:
        if not any(warning in str(error) for warning in _HARMLESS):
            raise
        values = simplejpeg.decode_jpeg(content, colorspace, min_factor=1, strict=False, **smallest)
    if colorspace == "RGB":
        return Image.fromarray(values)
    image.draft(None, (min_side_px, min_side_px))  # Pillow knows which CMYK files are stored inverted
    return to_rgb(image)


def _frame_count(image: Image.Image) -> int:
    """Count frames or pages; a file that lies about later ones still has its first."""
    try:
        frame_count = min(getattr(image, "n_frames", 1), MAX_FRAME_COUNT)
    except _BROKEN:
        frame_count = 1
    image.seek(0)
    return frame_count


def _reduced(image: Image.Image, min_side_px: int) -> Image.Image:
    factor = min(image.width, image.height) // min_side_px
    return image.reduce(factor) if factor > 1 else image


def to_rgb(image: Image.Image) -> Image.Image:
    """Bring any mode to 8-bit RGB: transparency on white, grey values as `to_grey8` does."""
    if image.mode.startswith(("I", "F")):
        image = to_grey8(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def to_grey8(image: Image.Image) -> Image.Image:
    """Bring 16-bit and 32-bit grey values to 8 bits: 65,535 is white; by their range if floats or over 16 bits.

    32-bit values that fit into 8 bits stay as they are.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
    low, high = 0.0, 65535.0
    if image.mode == "F" or values.max() > high or values.min() < low:
        low, high = float(values.min()), max(float(values.max()), float(values.min()) + 1e-9)
    elif image.mode == "I" and values.max() <= 255.0:
        high = 255.0
    return Image.fromarray(((values - low) * (255.0 / (high - low))).round().astype(np.uint8))
