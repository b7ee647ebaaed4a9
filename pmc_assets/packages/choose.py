"""Which files of a package are wanted: those that the article's figures show, or all media."""

from typing import Literal

from pmc_assets.figures.resolve import FileIndex, resolve_graphic
from pmc_assets.jats.article import MalformedArticle, read_graphics

Keep = Literal["figures", "media"]

FETCHED_KINDS = frozenset({"figure", "scheme", "graphic"})


def choose_media(xml: bytes, names: list[str], keep: Keep) -> list[str]:
    """Name the files to fetch, in the order of `names`.

    `figures`: every file that a graphic of a figure, or one that stands alone, may mean; all formats of a stem are
    kept, which one is the figure's image is decided later. Tables, formulas and supplements stay out. `media`: all.
    Empty: [] for XML that cannot be read; the stage that parses it says so.
    """
    if keep == "media":
        return list(names)
    try:
        graphics = read_graphics(xml)
    except MalformedArticle:
        return []
    index = FileIndex(names)
    wanted = {name for kind, ref in graphics if kind in FETCHED_KINDS for name in resolve_graphic(ref, index)}
    return [name for name in names if name in wanted]
