"""Which files of a package are wanted: those that the article's graphics mean, or all media."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Literal

from lxml import etree

Keep = Literal["figures", "media"]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".gif", ".webp"})
GRAPHIC_ELEMENTS = ("graphic", "inline-graphic")
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"


def choose_media(xml: bytes, names: list[str], keep: Keep) -> list[str]:
    """Name the files to fetch, in the order of `names`.

    `figures`: every file that a graphic of the article may mean: its exact name, or an image of the same stem; all
    formats of a stem are kept, which one is the figure's image is decided later. `media`: all.
    """
    if keep == "media":
        return list(names)
    wanted = set(match_names(read_hrefs(xml), names))
    return [name for name in names if name in wanted]


def read_hrefs(xml: bytes) -> list[str]:
    """Read the xlink:href of every graphic, in document order. Empty: [] for an article without, or no XML at all."""
    try:
        root = etree.fromstring(xml, etree.XMLParser(recover=True, huge_tree=True, resolve_entities=False))
    except etree.XMLSyntaxError:
        return []
    elements = () if root is None else root.iter(*(f"{{*}}{name}" for name in GRAPHIC_ELEMENTS))
    return [href for element in elements if (href := element.get(XLINK_HREF))]


def match_names(hrefs: Iterable[str], names: list[str]) -> list[str]:
    """Name the files that the hrefs may mean, letter case aside."""
    by_name: dict[str, list[str]] = defaultdict(list)
    images_by_stem: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_name[name.lower()].append(name)
        if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES:
            images_by_stem[_stem(name)].append(name)
    found: list[str] = []
    for href in hrefs:
        name = href.rsplit("/", 1)[-1]
        found += by_name.get(name.lower(), [])
        found += images_by_stem.get(name.lower(), []) + images_by_stem.get(_stem(name), [])
    return found


def _stem(name: str) -> str:
    """Give the name without a known image suffix, in lower case: `pone.0001.g001` has no suffix."""
    path = PurePosixPath(name.lower())
    return path.stem if path.suffix in IMAGE_SUFFIXES else path.name
