"""Illustrations: flow diagrams, chemical structures, networks."""

import math

import numpy as np
from PIL import Image, ImageDraw

from pmc_assets.sample.drawing.canvas import BLACK, WHITE, Color, blank, font, palette

STEPS = (
    "Assessed for eligibility",
    "Excluded",
    "Randomised",
    "Allocated to placebo",
    "Allocated to drug",
    "Lost to follow-up",
    "Analysed",
)
TINTS: tuple[Color, ...] = ((255, 255, 255), (221, 235, 247), (226, 240, 217), (255, 242, 204), (248, 228, 220))


def draw_flow_diagram(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw boxes with text joined by arrows, in rows of one to three."""
    image, draw = blank(width, height)
    rows, tint = int(rng.integers(3, 6)), TINTS[rng.integers(len(TINTS))]
    slot, text_px = height / rows, max(9, min(width // 42, height // 26))
    above: list[tuple[float, float]] = []
    for row in range(rows):
        columns = 1 if row in (0, rows - 1) else int(rng.integers(1, 4))
        below = []
        for column in range(columns):
            x, y = (column + 0.5) * width / columns, (row + 0.12) * slot
            half = min(width * 0.27, width / columns * 0.42)
            for parent in above:
                _arrow(draw, parent, (x, y))
            draw.rounded_rectangle((x - half, y, x + half, y + slot * 0.62), 6, fill=tint, outline=BLACK, width=2)
            text = f"{rng.choice(STEPS)}\n(n = {rng.integers(12, 900)})"
            draw.multiline_text((x, y + slot * 0.31), text, BLACK, font(text_px), anchor="mm", align="center")
            below.append((x, y + slot * 0.62))
        above = below
    return image


def _arrow(draw: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float]) -> None:
    middle = (start[1] + end[1]) / 2
    draw.line((*start, start[0], middle, end[0], middle, *end), fill=BLACK, width=2)
    draw.polygon((end, (end[0] - 6, end[1] - 10), (end[0] + 6, end[1] - 10)), fill=BLACK)


def draw_chemical_structure(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw fused and chained six-rings with double bonds and hetero atoms, and the compound's number."""
    image, draw = blank(width, height)
    rings = int(rng.integers(2, 5))
    bond = min(height / rng.uniform(5, 7), width / (rings * math.sqrt(3) + 3))
    step = bond * math.sqrt(3)
    left = width / 2 - step * (rings - 1) / 2
    for ring in range(rings):
        _ring(rng, draw, left + ring * step, height * 0.45, bond)
    for end, side in ((left - step / 2, -1), (left + step * (rings - 0.5), 1)):
        _substituent(rng, draw, end, height * 0.45 - bond / 2, side, bond)
    draw.text(
        (width / 2, height * 0.45 + bond * 1.6), str(rng.integers(1, 40)), BLACK, font(int(bond * 0.5)), anchor="mm"
    )
    return image


def _ring(rng: np.random.Generator, draw: ImageDraw.ImageDraw, x: float, y: float, bond: float) -> None:
    stroke = max(2, int(bond / 18))
    corners = [(x + bond * math.sin(k * math.pi / 3), y - bond * math.cos(k * math.pi / 3)) for k in range(6)]
    draw.polygon(corners, outline=BLACK, width=stroke)
    for k in range(0, 6, 2):
        (x1, y1), (x2, y2) = corners[k], corners[(k + 1) % 6]
        inner = [x + (x1 - x) * 0.8, y + (y1 - y) * 0.8, x + (x2 - x) * 0.8, y + (y2 - y) * 0.8]
        draw.line(inner, fill=BLACK, width=stroke)
    if rng.random() < 0.5:
        _atom(draw, corners[0 if rng.random() < 0.5 else 3], str(rng.choice(["N", "O", "S", "NH"])), bond)


def _atom(draw: ImageDraw.ImageDraw, place: tuple[float, float], symbol: str, bond: float) -> None:
    size = bond * 0.26
    draw.ellipse((place[0] - size, place[1] - size, place[0] + size, place[1] + size), fill=WHITE)
    draw.text(place, symbol, BLACK, font(int(bond * 0.42)), anchor="mm")


def _substituent(
    rng: np.random.Generator, draw: ImageDraw.ImageDraw, x: float, y: float, side: int, bond: float
) -> None:
    end = (x + side * bond * 0.87, y - bond * 0.5)
    draw.line((x, y, *end), fill=BLACK, width=max(2, int(bond / 18)))
    _atom(draw, end, str(rng.choice(["OH", "Cl", "F", "NH2", "OMe", "Br"])), bond)


def draw_network(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw an interaction network: coloured nodes of unlike size, thin edges to near nodes."""
    image, draw = blank(width, height)
    colors, count = palette(rng), int(rng.integers(25, 60))
    places = np.column_stack((rng.uniform(0.06, 0.94, count) * width, rng.uniform(0.06, 0.94, count) * height))
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    for node, order in enumerate(np.argsort(distances, axis=1)[:, 1 : int(rng.integers(4, 6))]):
        for other in order:
            draw.line((*places[node], *places[other]), fill=(150, 150, 150), width=1)
    for x, y in places.tolist():
        size = min(width, height) * rng.uniform(0.012, 0.032)
        draw.ellipse((x - size, y - size, x + size, y + size), fill=colors[rng.integers(3)], outline=(60, 60, 60))
    return image
