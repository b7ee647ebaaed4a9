"""Which files of a package are wanted: those that the article's graphics mean, or all media."""

from typing import Literal

from lxml import etree

from pmc_assets.figures.resolve import FileIndex, resolve_graphic

Keep = Literal["figures", "media"]

GRAPHIC_ELEMENTS = ("graphic", "inline-graphic")
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"


def choose_media(xml: bytes, names: list[str], keep: Keep) -> list[str]:
    """Name the files to fetch, in the order of `names`.

    `figures`: every file that a graphic of the article may mean: its exact name, or an image of the same stem; all
    formats of a stem are kept, which one is the figure's image is decided later. `media`: all.
    """
    if keep == "media":
        return list(names)
    index = FileIndex(names)
    wanted = {name for href in read_hrefs(xml) for name in resolve_graphic(href, index)}
    return [name for name in names if name in wanted]


def read_hrefs(xml: bytes) -> list[str]:
    """Read the xlink:href of every graphic, in document order. Empty: [] for an article without, or no XML at all."""
    try:
        root = etree.fromstring(xml, etree.XMLParser(recover=True, huge_tree=True, resolve_entities=False))
    except etree.XMLSyntaxError:
        return []
    elements = () if root is None else root.iter(*(f"{{*}}{name}" for name in GRAPHIC_ELEMENTS))
    return [href for element in elements if (href := element.get(XLINK_HREF))]
