"""Microscopy: fluorescence, H&E histology, electron micrographs."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pmc_assets.sample.drawing.canvas import color_image, grey_image, scale_bar, smooth_noise, speckle

STAINS = ((0, 2), (1, 2), (0, 1, 2), (1,), (0,), (2,))


def _blobs(
    rng: np.random.Generator, width: int, height: int, count: int, radius_px: float, blur_px: float
) -> Image.Image:
    layer = Image.new("L", (width, height))
    draw = ImageDraw.Draw(layer)
    for x, y, stretch, grey in zip(
        rng.uniform(0, width, count),
        rng.uniform(0, height, count),
        rng.uniform(0.6, 1.5, count),
        rng.integers(110, 255, count),
        strict=True,
    ):
        across, down = radius_px * stretch, radius_px / stretch
        draw.ellipse((x - across, y - down, x + across, y + down), fill=int(grey))
    return layer.filter(ImageFilter.GaussianBlur(blur_px))


def draw_fluorescence(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw glowing nuclei and cell bodies in one to three channels on black."""
    channels = STAINS[rng.integers(len(STAINS))]
    radius = min(width, height) * rng.uniform(0.025, 0.05)
    count = int(rng.integers(25, 60))
    pixels = np.zeros((height, width, 3), np.float32)
    for channel in channels:
        nuclear = channel == 2
        layer = _blobs(rng, width, height, count, radius * (1 if nuclear else 1.6), radius * (0.15 if nuclear else 0.5))
        pixels[..., channel] = np.asarray(layer, np.float32) * (0.9 if nuclear else smooth_noise(rng, width, height, 9))
        if nuclear:
            pixels[..., 1] += pixels[..., 2] * 0.25
    pixels += (speckle(rng, width, height, 9) + 5)[..., None] * (pixels.max(axis=(0, 1)) > 0)
    image = color_image(pixels)
    scale_bar(image)
    return image


def draw_histology(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw tissue stained with haematoxylin and eosin: pink fibres, purple nuclei, white lumens."""
    fibres = smooth_noise(rng, width, height, rng.uniform(6, 18)) * 0.6 + smooth_noise(rng, width, height, 45) * 0.4
    pink = np.array([236, 160, 194], np.float32) + rng.normal(0, 8, 3).astype(np.float32)
    deep = np.array([196, 92, 150], np.float32) + rng.normal(0, 8, 3).astype(np.float32)
    pixels = pink + (deep - pink) * fibres[..., None]
    lumen = smooth_noise(rng, width, height, min(width, height) / 5) > rng.uniform(0.72, 0.85)
    pixels[lumen] = (243, 236, 241)
    radius = max(2.5, min(width, height) * rng.uniform(0.008, 0.016))
    count = int(width * height / (radius * radius * rng.uniform(26, 60)))
    nuclei = np.asarray(_blobs(rng, width, height, min(count, 900), radius, 0.8), np.float32)[..., None] / 255
    purple = np.array([88, 50, 130], np.float32)
    pixels += (purple - pixels) * np.minimum(nuclei * 1.2, 0.9) * (~lumen)[..., None]
    image = color_image(pixels + speckle(rng, width, height, 10)[..., None])
    scale_bar(image, (20, 20, 20))
    return image


def draw_electron_micrograph(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw a transmission electron micrograph: grey cytoplasm, organelles with dark membranes, grain."""
    layer = grey_image(150 + 50 * smooth_noise(rng, width, height, 20) + 25 * smooth_noise(rng, width, height, 5))
    draw = ImageDraw.Draw(layer)
    for _ in range(int(rng.integers(6, 14))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        across, down = rng.uniform(0.05, 0.14) * width, rng.uniform(0.04, 0.1) * height
        grey = int(rng.integers(70, 130))
        draw.ellipse((x - across, y - down, x + across, y + down), fill=(grey,) * 3, outline=(25,) * 3, width=4)
        for fold in np.linspace(-0.7, 0.7, int(rng.integers(3, 8))):
            reach = down * (1 - fold * fold) ** 0.5 * 0.8
            draw.line((x + fold * across, y - reach, x + fold * across, y + reach * 0.6), fill=(40,) * 3, width=3)
    grain = speckle(rng, width, height, 38)
    image = grey_image(np.asarray(layer.convert("L").filter(ImageFilter.GaussianBlur(1)), np.float32) + grain)
    scale_bar(image, (0, 0, 0))
    return image
