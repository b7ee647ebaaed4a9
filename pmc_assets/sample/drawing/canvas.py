"""What every drawing shares: noise fields, fonts and text, scale bars. No visual class lives here."""

import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Color = tuple[int, int, int]

COARSE_CELL_PX = 8
WHITE: Color = (255, 255, 255)
BLACK: Color = (0, 0, 0)
PALETTES: tuple[tuple[Color, ...], ...] = (
    ((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75)),
    ((0, 0, 0), (200, 30, 30), (30, 60, 190), (90, 90, 90), (20, 140, 80), (180, 120, 20)),
    ((230, 159, 0), (86, 180, 233), (0, 158, 115), (0, 114, 178), (213, 94, 0), (204, 121, 167)),
    ((60, 60, 60), (110, 110, 110), (150, 150, 150), (180, 180, 180), (90, 90, 90), (30, 30, 30)),
)


@functools.lru_cache(maxsize=64)
def font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Give Pillow's own scalable font, so that no font of the machine changes the bytes."""
    return ImageFont.load_default(max(8, size_px))


def blank(width: int, height: int, color: Color = WHITE) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), color)
    return image, ImageDraw.Draw(image)


def palette(rng: np.random.Generator) -> tuple[Color, ...]:
    colors = PALETTES[rng.integers(len(PALETTES))]
    start = int(rng.integers(3))
    return colors[start:] + colors[:start]


def smooth_noise(rng: np.random.Generator, width: int, height: int, cell_px: float) -> np.ndarray:
    """Draw a smooth random field of about `cell_px` px grain. Shape: (height, width) float32 in 0 to 1."""
    coarse = rng.random((max(2, round(height / cell_px)), max(2, round(width / cell_px))), dtype=np.float32)
    filter_ = Image.Resampling.BICUBIC if cell_px > COARSE_CELL_PX else Image.Resampling.BILINEAR
    grown = Image.fromarray(coarse).resize((width, height), filter_)
    return np.clip(np.asarray(grown), 0, 1)


def speckle(rng: np.random.Generator, width: int, height: int, strength: float) -> np.ndarray:
    """Draw camera noise around 0. Shape: (height, width) float32."""
    return (rng.random((height, width), dtype=np.float32) - 0.5) * (2 * strength)


def grey_image(values: np.ndarray) -> Image.Image:
    """Turn grey values 0 to 255 (any shape (height, width)) into an RGB image."""
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).convert("RGB")


def color_image(values: np.ndarray) -> Image.Image:
    """Turn (height, width, 3) values 0 to 255 into an image."""
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def scale_bar(image: Image.Image, color: Color = WHITE) -> None:
    """Draw a scale bar into the lower right corner."""
    width, height = image.size
    thickness = max(2, height // 90)
    right, bottom = width - width // 25, height - height // 20
    ImageDraw.Draw(image).rectangle((right - width // 6, bottom - thickness, right, bottom), fill=color)
