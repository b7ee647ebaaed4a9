"""The card's plots, as PNG. Counting stays out."""

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pmc_assets.shards.facts import SIDE_BIN_PX, TOKEN_BIN, CardFacts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_INCHES = (6.4, 3.6)
DPI = 80


def draw_plots(facts: CardFacts) -> dict[str, bytes]:
    """Draw image sizes, caption lengths, labels and years; equal facts give equal bytes.

    Shape: file name to PNG, each below 100 kB. Labels are left out where no image has any.
    """
    plots = {
        "image_sizes.png": _draw(lambda axes: _image_sizes(axes, facts)),
        "caption_lengths.png": _draw(lambda axes: _caption_lengths(axes, facts)),
        "years.png": _draw(lambda axes: _bars(axes, facts.by_year, "samples by year of publication")),
    }
    if facts.by_label:
        plots["labels.png"] = _draw(lambda axes: _bars(axes, facts.by_label, "samples by primary label"))
    return plots


def _draw(plot: Callable[["Axes"], None]) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_INCHES, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    plot(figure.add_subplot())
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def _image_sizes(axes: "Axes", facts: CardFacts) -> None:
    for name, counts in (("width", facts.widths_px), ("height", facts.heights_px)):
        axes.step([low for low, _ in counts], [count for _, count in counts], where="post", label=name)
    axes.set(xlabel=f"px (bins of {SIDE_BIN_PX})", ylabel="samples", title="image sizes")
    axes.legend()


def _caption_lengths(axes: "Axes", facts: CardFacts) -> None:
    lows, counts = [low for low, _ in facts.caption_tokens], [count for _, count in facts.caption_tokens]
    axes.bar(lows, counts, width=TOKEN_BIN, align="edge")
    axes.set(xlabel="tokens: words and punctuation marks", ylabel="samples", title="caption lengths")


def _bars(axes: "Axes", counts: Sequence[tuple[str, int]], title: str) -> None:
    axes.bar([name for name, _ in counts], [count for _, count in counts])
    axes.tick_params(axis="x", labelrotation=90, labelsize=7)
    axes.set(ylabel="samples", title=title)
