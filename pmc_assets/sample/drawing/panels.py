"""Multi-panel figures: panels of one class or several in rows, with gutters and letters."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from pmc_assets.sample.drawing.canvas import BLACK, WHITE, font
from pmc_assets.sample.drawing.classes import CLASSES

LAYOUTS: dict[int, tuple[tuple[int, ...], ...]] = {
    2: ((2,), (1, 1)),
    3: ((3,), (1, 2), (2, 1)),
    4: ((2, 2), (4,)),
    5: ((3, 2), (2, 3)),
    6: ((3, 3), (2, 2, 2)),
}


def panel_subtype(rows: Sequence[int]) -> str:
    """Name a layout, given as panels per row: one, row, column, grid, or mixed where rows differ."""
    if len(rows) == 1:
        return "one" if rows[0] == 1 else "row"
    if set(rows) == {1}:
        return "column"
    return "grid" if len(set(rows)) == 1 else "mixed"


def draw_panels(
    rng: np.random.Generator, classes: Sequence[str], rows: Sequence[int], width: int, height: int, letters: str
) -> Image.Image:
    """Draw one panel per class, row by row; `letters` (may be empty) go into the panels' upper left corners."""
    if len(classes) == 1:
        return CLASSES[classes[0]].draw(rng, width, height)
    image = Image.new("RGB", (width, height), WHITE)
    gutter = max(12, int(min(width, height) * rng.uniform(0.025, 0.04)))
    panel_height = (height - gutter * (len(rows) - 1)) // len(rows)
    panel = 0
    for row, columns in enumerate(rows):
        panel_width = (width - gutter * (columns - 1)) // columns
        for column in range(columns):
            drawn = CLASSES[classes[panel]].draw(rng, panel_width, panel_height)
            if letters:
                _letter(drawn, letters[panel])
            image.paste(drawn, (column * (panel_width + gutter), row * (panel_height + gutter)))
            panel += 1
    return image


def _letter(image: Image.Image, letter: str) -> None:
    size = max(14, min(image.size) // 11)
    ImageDraw.Draw(image).text((5, 2), letter, BLACK, font(size), stroke_width=2, stroke_fill=WHITE)
