"""Immuno assays, PCR and lab specimens: western blots, agarose gels, culture plates."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pmc_assets.sample.drawing.canvas import BLACK, WHITE, blank, color_image, font, grey_image, smooth_noise, speckle

PROTEINS = ("Actin", "GAPDH", "p53", "AKT", "p-AKT", "ERK1/2", "Bcl-2", "Caspase-3", "STAT3", "Tubulin")


def draw_western_blot(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw two to five film strips with dark bands per lane, protein names at the left and masses at the right."""
    image, draw = blank(width, height, WHITE)
    strips, lanes = int(rng.integers(2, 6)), int(rng.integers(4, 9))
    text_px = max(9, min(width, height) // 22)
    left, right, top = text_px * 5, width - text_px * 4, text_px * 2
    strip_px = (height - top - text_px) // strips
    for lane in range(lanes):
        x = left + (lane + 0.5) * (right - left) / lanes
        draw.text((x, top // 2), "+" if rng.random() < 0.5 else "-", BLACK, font(text_px), anchor="mm")
    for strip in range(strips):
        y = top + strip * strip_px
        film = _film(rng, right - left, strip_px - max(3, text_px // 4), lanes)
        image.paste(film, (left, y))
        draw.rectangle((left, y, right - 1, y + film.height - 1), outline=BLACK)
        middle = y + film.height // 2
        draw.text((left - 6, middle), str(rng.choice(PROTEINS)), BLACK, font(text_px), anchor="rm")
        draw.text((right + 6, middle), f"{rng.integers(15, 150)} kDa", BLACK, font(text_px - 2), anchor="lm")
    return image


def _film(rng: np.random.Generator, width: int, height: int, lanes: int) -> Image.Image:
    base = rng.uniform(185, 225)
    layer = Image.new("L", (width, height), int(base))
    draw = ImageDraw.Draw(layer)
    slot, middle = width / lanes, height * rng.uniform(0.4, 0.6)
    for lane in range(lanes):
        strength, half = rng.uniform(0.1, 1), height * rng.uniform(0.1, 0.22)
        x = (lane + 0.5) * slot
        box = (x - slot * 0.38, middle - half, x + slot * 0.38, middle + half)
        draw.rounded_rectangle(box, radius=half, fill=int(base * (1 - 0.9 * strength)))
    blurred = np.asarray(layer.filter(ImageFilter.GaussianBlur(max(1, height * 0.035))), np.float32)
    return grey_image(blurred + 18 * (smooth_noise(rng, width, height, 30) - 0.5) + speckle(rng, width, height, 6))


def draw_agarose_gel(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw an agarose gel under ultraviolet light: bright bands on dark, a ladder in the first lane."""
    layer = Image.new("L", (width, height), int(rng.integers(18, 45)))
    draw = ImageDraw.Draw(layer)
    lanes, thickness = int(rng.integers(6, 13)), max(2, height // 70)
    slot = width / (lanes + 0.5)
    for lane in range(lanes):
        x = (lane + 0.3) * slot
        draw.rectangle((x, height * 0.05, x + slot * 0.7, height * 0.07), fill=90)
        rows = np.geomspace(0.15, 0.92, 9) if lane == 0 else rng.uniform(0.2, 0.85, int(rng.integers(1, 3)))
        for row in rows:
            y = row * height
            draw.rectangle((x, y, x + slot * 0.7, y + thickness), fill=int(rng.integers(140, 250)))
    glow = np.asarray(layer.filter(ImageFilter.GaussianBlur(thickness * 0.45)), np.float32)
    image = grey_image(glow + 14 * smooth_noise(rng, width, height, 80) + speckle(rng, width, height, 5))
    draw = ImageDraw.Draw(image)
    for lane in range(lanes):
        name = "M" if lane == 0 else str(lane)
        draw.text(((lane + 0.65) * slot, 2), name, WHITE, font(max(9, height // 26)), anchor="mt")
    return image


def draw_culture_plate(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw an agar plate on a dark bench, seen from above, with colonies."""
    bench = 40 + 30 * smooth_noise(rng, width, height, 60)
    image = color_image(bench[..., None] * np.array([1.0, 0.95, 0.9], np.float32))
    draw = ImageDraw.Draw(image)
    radius, x, y = min(width, height) * 0.46, width / 2, height / 2
    agar = (int(rng.integers(190, 225)), int(rng.integers(165, 190)), int(rng.integers(95, 140)))
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=agar, outline=(230, 230, 225), width=8)
    for _ in range(int(rng.integers(40, 140))):
        angle, distance, size = (
            rng.uniform(0, 6.283),
            radius * 0.9 * rng.random() ** 0.5,
            radius * rng.uniform(0.01, 0.035),
        )
        left, top = x + distance * np.cos(angle), y + distance * np.sin(angle)
        draw.ellipse((left - size, top - size, left + size, top + size), fill=(246, 240, 214), outline=(205, 190, 150))
    pixels = np.asarray(image, np.float32) + speckle(rng, width, height, 7)[..., None]
    return color_image(pixels).filter(ImageFilter.GaussianBlur(0.6))
