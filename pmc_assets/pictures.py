"""Small PNGs for pages and cards: bars of counts, histograms. Which numbers are shown stays out."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

WIDTH_INCH, BAR_INCH, TITLE_INCH, AXIS_INCH, HISTOGRAM_INCH = 6.0, 0.28, 0.35, 0.5, 2.6
CHARACTER_INCH, EDGE_INCH, GAP_INCH, VALUE_INCH = 0.075, 0.15, 0.06, 0.9
DOTS_PER_INCH = 72
MAX_BARS = 20
HISTOGRAM_BINS = 40
INK = "#2b5c8a"


def bars_png(counts: Mapping[str, Any], title: str) -> bytes:
    """Draw counts as horizontal bars, the largest on top; at most MAX_BARS of them. Empty: b"".

    Bars and words stand on the figure itself: axes with their ticks take five times as long.
    """
    if not counts:
        return b""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    shown = Counter(counts).most_common(MAX_BARS)
    most = max(value for _, value in shown) or 1
    height = TITLE_INCH + BAR_INCH * len(shown) + EDGE_INCH
    left = min(CHARACTER_INCH * max(len(name) for name, _ in shown) + EDGE_INCH, WIDTH_INCH / 2)
    figure = Figure(figsize=(WIDTH_INCH, height), dpi=DOTS_PER_INCH)
    figure.text(
        (left + WIDTH_INCH) / 2 / WIDTH_INCH, 1 - TITLE_INCH / 2 / height, title, ha="center", va="center", size=9
    )
    for place, (name, value) in enumerate(shown):
        middle = 1 - (TITLE_INCH + BAR_INCH * (place + 0.5)) / height
        end = left + (WIDTH_INCH - left - VALUE_INCH) * value / most
        bar = (left / WIDTH_INCH, middle - 0.4 * BAR_INCH / height), (end - left) / WIDTH_INCH, 0.8 * BAR_INCH / height
        figure.add_artist(Rectangle(*bar, color=INK))
        figure.text((left - GAP_INCH) / WIDTH_INCH, middle, name, ha="right", va="center", size=8)
        figure.text((end + GAP_INCH) / WIDTH_INCH, middle, f"{value:,}", ha="left", va="center", size=8)
    return _saved(figure)


def histogram_png(values: Sequence[float], title: str, unit: str) -> bytes:
    """Draw how often each size occurs. Units: as said by `unit`, on the axis. Empty: b""."""
    if not len(values):
        return b""
    from matplotlib.ticker import MaxNLocator

    axes = new_axes(HISTOGRAM_INCH, left_inch=AXIS_INCH, bottom_inch=AXIS_INCH)
    axes.hist(values, bins=HISTOGRAM_BINS, color=INK)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(unit, fontsize=8)
    return png(axes, title)


def new_axes(height_inch: float, left_inch: float, bottom_inch: float = EDGE_INCH) -> "Axes":
    """Open a picture with room for labels at the left and below.

    The axes are placed by sums of our own: matplotlib's layout draws everything twice.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCH, height_inch), dpi=DOTS_PER_INCH)
    left, bottom = left_inch / WIDTH_INCH, bottom_inch / height_inch
    right, top = 1 - EDGE_INCH / WIDTH_INCH, 1 - TITLE_INCH / height_inch
    return figure.add_axes((left, bottom, right - left, top - bottom))


def png(axes: "Axes", title: str) -> bytes:
    """Finish a picture; equal ones give equal bytes."""
    axes.set_title(title, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return _saved(axes.figure)


def _saved(figure: "Figure | SubFigure") -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})  # type: ignore[union-attr]
    return content.getvalue()
