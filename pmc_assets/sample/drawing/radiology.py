"""Clinical imaging: axial brain MRI, chest radiograph, ultrasound."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pmc_assets.sample.drawing.canvas import WHITE, font, grey_image, smooth_noise, speckle


def draw_brain_mri(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw an axial slice: scalp, skull, folded brain, ventricles, sometimes a bright lesion, on black."""
    layer = Image.new("L", (width, height), 4)
    draw = ImageDraw.Draw(layer)
    x, y = width / 2, height / 2
    down = min(height * 0.46, width * 0.55)
    across = min(down * rng.uniform(0.78, 0.88), width * 0.46)
    for share, grey in ((1.0, 190), (0.94, 30), (0.88, int(rng.integers(95, 130)))):
        draw.ellipse((x - across * share, y - down * share, x + across * share, y + down * share), fill=grey)
    _ventricles(rng, draw, x, y, across, down)
    if rng.random() < 0.5:
        left, top, size = x + across * rng.uniform(-0.5, 0.5), y + down * rng.uniform(-0.5, 0.5), across * 0.13
        draw.ellipse((left - size, top - size, left + size, top + size), fill=215)
    anatomy = np.asarray(layer.filter(ImageFilter.GaussianBlur(2)), np.float32)
    folds = np.abs(smooth_noise(rng, width, height, across / 11) - 0.5) * 2
    inside = (anatomy > 60) & (anatomy < 150)
    return grey_image(anatomy + inside * (folds * 60 - 22) + speckle(rng, width, height, 7))


def _ventricles(
    rng: np.random.Generator, draw: ImageDraw.ImageDraw, x: float, y: float, across: float, down: float
) -> None:
    for side in (-1, 1):
        middle = x + side * across * 0.12
        reach = down * rng.uniform(0.2, 0.3)
        draw.ellipse((middle - across * 0.07, y - reach, middle + across * 0.07, y + reach), fill=22)
    draw.line((x, y - down * 0.85, x, y - down * 0.35), fill=50, width=3)


def draw_chest_radiograph(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw a frontal chest radiograph: bright mediastinum, dark lungs, ribs, a side marker."""
    layer = Image.new("L", (width, height), int(rng.integers(120, 150)))
    draw = ImageDraw.Draw(layer)
    for side in (-1, 1):
        middle = width * (0.5 + side * 0.23)
        box = (middle - width * 0.16, height * 0.1, middle + width * 0.16, height * rng.uniform(0.78, 0.88))
        draw.ellipse(box, fill=int(rng.integers(30, 55)))
    draw.rectangle((width * 0.46, 0, width * 0.54, height), fill=200)
    heart = (width * 0.42, height * 0.45, width * rng.uniform(0.68, 0.74), height * 0.86)
    draw.ellipse(heart, fill=185)
    layer = layer.filter(ImageFilter.GaussianBlur(min(width, height) * 0.02))
    draw = ImageDraw.Draw(layer)
    for row in np.linspace(0.08, 0.72, int(rng.integers(7, 10))):
        for side in (0, 1):
            box = (width * (0.08 + side * 0.42), height * row, width * (0.5 + side * 0.42), height * (row + 0.2))
            draw.arc(box, 190, 350, fill=128, width=max(3, height // 60))
    layer = layer.filter(ImageFilter.GaussianBlur(2.5))
    edge = np.linspace(-1, 1, width, dtype=np.float32) ** 6 * 110
    pixels = (
        np.asarray(layer, np.float32)
        - edge
        + 22 * smooth_noise(rng, width, height, 25)
        + speckle(rng, width, height, 6)
    )
    image = grey_image(pixels)
    ImageDraw.Draw(image).text((width * 0.06, height * 0.06), "R", WHITE, font(height // 14))
    return image


def draw_ultrasound(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw a sector scan: a fan of speckle with a dark cyst and a bright reflector on black."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = columns - width / 2, rows + height * 0.12
    distance, angle = np.hypot(x, y), np.abs(np.arctan2(x, y))
    fan = (angle < rng.uniform(0.6, 0.75)) & (distance > height * 0.22) & (distance < height * 1.06)
    echo = 95 * smooth_noise(rng, width, height, 28) + 60 * np.exp(-distance / height)
    grain = rng.random((height // 2 + 1, width // 2 + 1), dtype=np.float32)
    grain = np.asarray(Image.fromarray(grain).resize((width, height), Image.Resampling.BILINEAR))
    pixels = echo * (0.35 + 1.3 * grain)
    left, top = width * rng.uniform(0.4, 0.6), height * rng.uniform(0.45, 0.65)
    size = min(width, height) * rng.uniform(0.08, 0.15)
    cyst = ((columns - left) / size) ** 2 + ((rows - top) / (size * 0.75)) ** 2
    pixels[cyst < 1] *= 0.12
    pixels[(cyst >= 1) & (cyst < 1.35)] += 70
    image = grey_image(np.where(fan, pixels, 3))
    draw = ImageDraw.Draw(image)
    for step in range(1, 9):
        draw.line((width - 14, height * step / 9, width - 6, height * step / 9), fill=(180, 180, 180), width=2)
    return image
