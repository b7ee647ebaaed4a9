"""The card's plots, as PNG. Counting stays out."""

from pmc_assets.pictures import INK, bars_png, new_axes, png
from pmc_assets.shards.facts import SIDE_BIN_PX, TOKEN_BIN, CardFacts

HEIGHT_INCH, LEFT_INCH, BOTTOM_INCH = 3.0, 0.9, 0.7


def draw_plots(facts: CardFacts) -> dict[str, bytes]:
    """Draw image sizes, caption lengths, labels and years; equal facts give equal bytes.

    Shape: file name to PNG, each below 100 kB. Labels are left out where no image has any.
    """
    plots = {
        "image_sizes.png": _image_sizes(facts),
        "caption_lengths.png": _caption_lengths(facts),
        "years.png": _years(facts),
        "labels.png": bars_png(dict(facts.by_label), "samples by primary label"),
    }
    return {name: content for name, content in plots.items() if content}


def _image_sizes(facts: CardFacts) -> bytes:
    axes = new_axes(HEIGHT_INCH, LEFT_INCH, BOTTOM_INCH)
    for name, counts in (("width", facts.widths_px), ("height", facts.heights_px)):
        axes.step([low for low, _ in counts], [count for _, count in counts], where="post", label=name)
    axes.set(xlabel=f"px (bins of {SIDE_BIN_PX})", ylabel="samples")
    axes.legend()
    return png(axes, "image sizes")


def _caption_lengths(facts: CardFacts) -> bytes:
    axes = new_axes(HEIGHT_INCH, LEFT_INCH, BOTTOM_INCH)
    lows, counts = [low for low, _ in facts.caption_tokens], [count for _, count in facts.caption_tokens]
    axes.bar(lows, counts, width=TOKEN_BIN, align="edge", color=INK)
    axes.set(xlabel="tokens: words and punctuation marks", ylabel="samples")
    return png(axes, "caption lengths")


def _years(facts: CardFacts) -> bytes:
    axes = new_axes(HEIGHT_INCH, LEFT_INCH, BOTTOM_INCH)
    axes.bar([year for year, _ in facts.by_year], [count for _, count in facts.by_year], color=INK)
    axes.tick_params(axis="x", labelrotation=90)
    axes.set(ylabel="samples")
    return png(axes, "samples by year of publication")
