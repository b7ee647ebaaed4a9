"""Pictures of typeset matter: tables and displayed formulae."""

import numpy as np
from PIL import Image

from pmc_assets.sample.drawing.canvas import BLACK, blank, font


def draw_table(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw a table of numbers with a shaded head and rules."""
    image, draw = blank(width, height)
    rows, columns = int(rng.integers(6, 12)), int(rng.integers(3, 6))
    row_px, column_px = (height - 8) / rows, (width - 8) / columns
    draw.rectangle((4, 4, width - 5, 4 + row_px), fill=(226, 226, 226))
    for row in range(rows):
        y = 4 + row * row_px
        draw.line((4, y, width - 5, y), fill=(120, 120, 120))
        for column in range(columns):
            text = f"Group {column}" if row == 0 else f"{rng.uniform(0, 99):.1f} ± {rng.uniform(0, 9):.1f}"
            place = (4 + (column + 0.5) * column_px, y + row_px / 2)
            draw.text(place, text, BLACK, font(int(min(row_px * 0.5, column_px / 7))), anchor="mm")
    draw.rectangle((4, 4, width - 5, height - 5), outline=BLACK, width=2)
    return image


def draw_formula(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw one displayed equation with a fraction, dark on white."""
    image, draw = blank(width, height)
    size = max(12, int(min(height * 0.3, width / 14)))
    left, right = rng.choice(["s", "b", "E", "k", "P"]), rng.choice(["n - 1", "1 + x", "2 K", "RT"])
    top = rng.choice(["(x - m) (y - m)", "a + b ln t", "exp(-kt)", "q s + r"])
    draw.text((width * 0.2, height / 2), f"{left}  =", BLACK, font(size), anchor="mm")
    draw.text((width * 0.6, height / 2 - size * 0.75), str(top), BLACK, font(size), anchor="mm")
    draw.line((width * 0.36, height / 2, width * 0.84, height / 2), fill=BLACK, width=max(1, size // 14))
    draw.text((width * 0.6, height / 2 + size * 0.75), str(right), BLACK, font(size), anchor="mm")
    return image
