"""Plots and charts: curves (and survival steps), bars, scatter."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from pmc_assets.sample.drawing.canvas import BLACK, Color, blank, font, palette

X_TITLES = ("Time (h)", "Time (months)", "Dose (mg/kg)", "Concentration (mM)", "Age (years)", "Days after treatment")
Y_TITLES = ("Survival", "Viability (%)", "Relative expression", "Intensity (a.u.)", "Concentration", "Score")
GROUPS = ("Control", "Vehicle", "Low", "High", "siRNA", "Treated", "WT", "KO")


@dataclass(frozen=True, slots=True)
class Axes:
    """The plot area of a chart, in px: fractions 0 to 1 of it become points."""

    draw: ImageDraw.ImageDraw
    left: int
    top: int
    right: int
    bottom: int
    text_px: int

    def point(self, x: float, y: float) -> tuple[float, float]:
        return self.left + x * (self.right - self.left), self.bottom - y * (self.bottom - self.top)

    @property
    def stroke_px(self) -> int:
        return max(1, (self.bottom - self.top) // 160)


def draw_axes(rng: np.random.Generator, width: int, height: int, x_ticks: bool = True) -> tuple[Image.Image, Axes]:
    """Draw empty axes with ticks, numbers and titles."""
    image, draw = blank(width, height)
    text_px = max(9, min(width, height) // 24)
    axes = Axes(draw, int(text_px * 4.2), text_px, width - text_px, height - int(text_px * 3.4), text_px)
    boxed = rng.random() < 0.3
    if boxed:
        draw.rectangle((axes.left, axes.top, axes.right, axes.bottom), outline=BLACK, width=axes.stroke_px)
    draw.line((axes.left, axes.top, axes.left, axes.bottom, axes.right, axes.bottom), fill=BLACK, width=axes.stroke_px)
    _ticks(rng, axes, x_ticks)
    _titles(rng, image, axes)
    return image, axes


def _ticks(rng: np.random.Generator, axes: Axes, x_ticks: bool) -> None:
    count, unit = int(rng.integers(4, 7)), float(rng.choice([0.2, 1, 5, 20]))
    for step in range(count + 1):
        x, y = axes.point(step / count, step / count)
        axes.draw.line((axes.left - 5, y, axes.left, y), fill=BLACK, width=axes.stroke_px)
        axes.draw.text((axes.left - 7, y), f"{step * unit:g}", BLACK, font(axes.text_px - 1), anchor="rm")
        if x_ticks:
            axes.draw.line((x, axes.bottom, x, axes.bottom + 5), fill=BLACK, width=axes.stroke_px)
            axes.draw.text((x, axes.bottom + 7), f"{step * 12}", BLACK, font(axes.text_px - 1), anchor="mt")


def _titles(rng: np.random.Generator, image: Image.Image, axes: Axes) -> None:
    middle = (axes.left + axes.right) // 2
    below = axes.bottom + int(axes.text_px * 2.8)
    axes.draw.text((middle, below), str(rng.choice(X_TITLES)), BLACK, font(axes.text_px), anchor="mm")
    label = Image.new("RGB", (axes.bottom - axes.top, int(axes.text_px * 1.5)), (255, 255, 255))
    centre = (label.width // 2, label.height // 2)
    ImageDraw.Draw(label).text(centre, str(rng.choice(Y_TITLES)), BLACK, font(axes.text_px), anchor="mm")
    image.paste(label.rotate(90, expand=True), (2, axes.top))


def _curve(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    slope, middle, height = rng.uniform(4, 14), rng.uniform(0.2, 0.7), rng.uniform(0.45, 0.9)
    match int(rng.integers(4)):
        case 0:
            y = height / (1 + np.exp(-slope * (x - middle)))
        case 1:
            y = height * np.exp(-rng.uniform(1, 4) * x) + 0.05
        case 2:
            y = 0.5 + 0.35 * height * np.sin(slope * x + middle * 6)
        case _:
            y = 0.1 + height * x ** rng.uniform(0.5, 2)
    return np.clip(y, 0.02, 0.97)


def draw_line_plot(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw two to four curves with markers and error bars, or survival steps, and a legend."""
    image, axes = draw_axes(rng, width, height)
    colors, survival = palette(rng), rng.random() < 0.25
    for index in range(int(rng.integers(2, 5))):
        if survival:
            _survival_steps(rng, axes, colors[index])
        else:
            _marked_curve(rng, axes, colors[index])
        _legend(axes, index, colors[index], str(rng.choice(GROUPS)))
    return image


def _marked_curve(rng: np.random.Generator, axes: Axes, color: Color) -> None:
    x = np.linspace(0.02, 0.98, int(rng.integers(7, 40)))
    y = np.clip(_curve(rng, x) + rng.normal(0, 0.012, len(x)), 0.01, 0.98)
    points = [axes.point(*pair) for pair in zip(x, y, strict=True)]
    axes.draw.line(points, fill=color, width=axes.stroke_px + 2, joint="curve")
    if len(x) > 14:
        return
    size = axes.stroke_px * 2 + 1
    for left, top in points:
        error = rng.uniform(4, 12)
        axes.draw.line((left, top - error, left, top + error), fill=color, width=axes.stroke_px)
        axes.draw.ellipse((left - size, top - size, left + size, top + size), fill=color)


def _survival_steps(rng: np.random.Generator, axes: Axes, color: Color) -> None:
    times = np.sort(rng.random(int(rng.integers(10, 24))))
    level, points = 0.97, [axes.point(0, 0.97)]
    for time in times:
        points.append(axes.point(time, level))
        level *= rng.uniform(0.86, 0.99)
        points.append(axes.point(time, level))
    points.append(axes.point(1, level))
    axes.draw.line(points, fill=color, width=axes.stroke_px + 2)


def _legend(axes: Axes, index: int, color: Color, text: str) -> None:
    left, top = axes.right - axes.text_px * 6, axes.top + 4 + index * int(axes.text_px * 1.4)
    axes.draw.line((left, top + axes.text_px // 2, left + axes.text_px, top + axes.text_px // 2), fill=color, width=3)
    axes.draw.text((left + int(axes.text_px * 1.4), top), text, BLACK, font(axes.text_px - 1))


def draw_bar_plot(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw groups of filled bars with error bars and significance stars."""
    image, axes = draw_axes(rng, width, height, x_ticks=False)
    colors = palette(rng)
    groups, series = int(rng.integers(3, 7)), int(rng.integers(1, 4))
    slot = 1 / groups
    bar = slot * 0.75 / series
    for group in range(groups):
        for index in range(series):
            x, y = (group + 0.12) * slot + index * bar, rng.uniform(0.15, 0.85)
            left, top = axes.point(x, y)
            right, bottom = axes.point(x + bar * 0.92, 0)
            axes.draw.rectangle((left, top, right, bottom), fill=colors[index], outline=BLACK)
            _error_bar(axes, (left + right) / 2, top, rng.uniform(0.02, 0.07), rng.random() < 0.25)
        name = str(rng.choice(GROUPS))
        axes.draw.text(axes.point((group + 0.5) * slot, -0.02), name, BLACK, font(axes.text_px - 2), anchor="mt")
    return image


def _error_bar(axes: Axes, x: float, top: float, share: float, starred: bool) -> None:
    reach = share * (axes.bottom - axes.top)
    axes.draw.line((x, top - reach, x, top), fill=BLACK, width=axes.stroke_px)
    axes.draw.line((x - 4, top - reach, x + 4, top - reach), fill=BLACK, width=axes.stroke_px)
    if starred:
        axes.draw.text((x, top - reach - 2), "*", BLACK, font(axes.text_px + 4), anchor="mm")


def draw_scatter_plot(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw clouds of points: groups apart from each other, or one regression with its line."""
    image, axes = draw_axes(rng, width, height)
    colors, size = palette(rng), max(2, min(width, height) // 100)
    regression = rng.random() < 0.5
    for index in range(1 if regression else int(rng.integers(2, 5))):
        count = int(rng.integers(110, 240))
        if regression:
            x = rng.uniform(0.04, 0.96, count)
            y = 0.15 + 0.65 * x + rng.normal(0, 0.09, count)
            axes.draw.line((axes.point(0.02, 0.16), axes.point(0.97, 0.78)), fill=colors[1], width=axes.stroke_px + 1)
        else:
            x = rng.normal(rng.uniform(0.15, 0.85), 0.07, count)
            y = rng.normal(rng.uniform(0.15, 0.85), 0.07, count)
        for pair in np.clip(np.column_stack((x, y)), 0.015, 0.985).tolist():
            left, top = axes.point(*pair)
            axes.draw.ellipse((left - size, top - size, left + size, top + size), fill=colors[index])
    return image
