"""Small PNGs for the pages of the assets: bars of counts, histograms. Which numbers are shown stays out."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_INCH, BAR_INCH, FRAME_INCH, HISTOGRAM_INCH = 6.0, 0.28, 0.9, 2.6
DOTS_PER_INCH = 72
MAX_BARS = 20
HISTOGRAM_BINS = 40
INK = "#2b5c8a"


def bars_png(counts: Mapping[str, Any], title: str) -> bytes:
    """Draw counts as horizontal bars, the largest on top; at most MAX_BARS of them. Empty: b""."""
    if not counts:
        return b""
    names, values = zip(*reversed(Counter(counts).most_common(MAX_BARS)), strict=True)
    figure = _new_figure(FRAME_INCH + BAR_INCH * len(names))
    axes = figure.subplots()
    drawn = axes.barh(names, values, color=INK)
    axes.bar_label(drawn, labels=[f"{value:,}" for value in values], padding=3, fontsize=8)
    axes.margins(x=0.12)
    return _png(figure, title)


def histogram_png(values: Sequence[float], title: str, unit: str) -> bytes:
    """Draw how often each size occurs. Units: as said by `unit`, on the axis. Empty: b""."""
    if not len(values):
        return b""
    from matplotlib.ticker import MaxNLocator

    figure = _new_figure(HISTOGRAM_INCH)
    axes = figure.subplots()
    axes.hist(values, bins=HISTOGRAM_BINS, color=INK)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(unit, fontsize=8)
    return _png(figure, title)


def _new_figure(height_inch: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_INCH, height_inch), dpi=DOTS_PER_INCH, layout="constrained")


def _png(figure: "Figure", title: str) -> bytes:
    for axes in figure.axes:
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()
