"""The outside world: maps and landscapes."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pmc_assets.sample.drawing.canvas import BLACK, color_image, font, smooth_noise


def draw_map(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw land with coloured districts in a blue sea, borders, a scale bar and sites."""
    relief = smooth_noise(rng, width, height, min(width, height) / 3.2) + 0.12 * smooth_noise(rng, width, height, 14)
    land, tones = (
        relief > 0.45,
        np.array([[247, 236, 200], [222, 235, 190], [250, 215, 190], [205, 225, 200], [240, 200, 160]]),
    )
    sites = np.column_stack((rng.uniform(0, height, 14), rng.uniform(0, width, 14))).astype(np.float32)
    rows, columns = np.mgrid[0:height:4, 0:width:4].astype(np.float32)
    nearest = np.argmin([(rows - y) ** 2 + (columns - x) ** 2 for y, x in sites], axis=0).astype(np.uint8)
    district = np.asarray(Image.fromarray(nearest).resize((width, height), Image.Resampling.NEAREST))
    pixels = np.where(land[..., None], tones[district % len(tones)], np.array([176, 212, 236]))
    borders = np.zeros((height, width), bool)
    borders[:, 1:] |= ((district[:, 1:] != district[:, :-1]) & land[:, 1:]) | (land[:, 1:] != land[:, :-1])
    borders[1:] |= ((district[1:] != district[:-1]) & land[1:]) | (land[1:] != land[:-1])
    pixels[borders] = (90, 90, 90)
    image = color_image(pixels)
    draw = ImageDraw.Draw(image)
    dot = max(2, min(width, height) // 80)
    for _ in range(int(rng.integers(4, 12))):
        x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height
        draw.ellipse((x - dot, y - dot, x + dot, y + dot), fill=(200, 30, 30), outline=BLACK)
    draw.rectangle((width * 0.05, height * 0.93, width * 0.25, height * 0.945), fill=BLACK)
    draw.text((width * 0.05, height * 0.92), "100 km", BLACK, font(height // 30), anchor="ls")
    draw.rectangle((0, 0, width - 1, height - 1), outline=BLACK, width=2)
    return image


def draw_landscape(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw a field site as a camera sees it: sky with clouds, hills, meadow with flowers."""
    sky = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    pixels = np.array([96, 150, 215], np.float32) * (1 - sky) + np.array([215, 228, 240], np.float32) * sky
    clouds = np.clip(smooth_noise(rng, width, height, 90) * 1.6 - 0.75, 0, 1)[..., None]
    pixels = pixels + (250 - pixels) * clouds * 0.8
    rows = np.arange(height, dtype=np.float32)[:, None]
    texture = smooth_noise(rng, width, height, 4)[..., None] * 50 - 25
    for depth, tone in ((0.45, (92, 124, 130)), (0.58, (62, 104, 62)), (0.72, (96, 134, 50))):
        ridge = height * (depth + 0.22 * (smooth_noise(rng, width, 2, width / 4)[0] - 0.5))
        ground = rows > ridge
        pixels = np.where(ground[..., None], np.array(tone, np.float32) + rng.normal(0, 8, 3) + texture, pixels)
    image = color_image(pixels)
    draw = ImageDraw.Draw(image)
    for x, y in zip(rng.uniform(0, width, 60), rng.uniform(0.8, 1, 60) * height, strict=True):
        size = 2 + 6 * (y / height - 0.78) * 4
        draw.ellipse(
            (x - size, y - size, x + size, y + size), fill=(235, 210, 60) if rng.random() < 0.6 else (235, 235, 240)
        )
    return image.filter(ImageFilter.GaussianBlur(0.7))
