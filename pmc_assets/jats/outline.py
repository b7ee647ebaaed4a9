"""One walk over the tree: the elements that the reader needs, by name, and where each of them stands."""

from typing import Any

from lxml import etree

from pmc_assets.jats.compiled import native
from pmc_assets.jats.names import ANNOTATION, ANNOTATION_XML, FLOATS, GRAPHICS, MATH, SHOWING, XML_LANG
from pmc_assets.jats.text import text_of

MAX_SECTION_DEPTH = 40
_WALKED = tuple(
    dict.fromkeys(
        (
            *FLOATS,
            *GRAPHICS,
            *("p", "xref", "inline-formula", "disp-formula", "chem-struct", "tex-math", MATH, ANNOTATION),
            *(ANNOTATION_XML, "list-item", "def-item", "def", "disp-quote", "statement", "speech", "verse-line"),
            *("preformat", "code", "break", "fn", "alt-text", "long-desc", "index-term", "glyph-data"),
            *("ref-list", "pub-id", "sub-article", "response", "array"),
        )
    )
)
_LOCATIONS = {
    "front": "front",
    "front-stub": "front",
    "body": "body",
    "back": "back",
    "floats-group": "floats",
    "floats-wrap": "floats",
}
_ASIDE = frozenset(("graphic", *(name for name in FLOATS if name != "boxed-text")))
_OTHER_ARTICLES = frozenset(("sub-article", "response"))
_SECTIONS = frozenset(
    ("sec", "app", "ack", "notes", "glossary", "boxed-text", "abstract", "trans-abstract", "bio", "treatment-sec")
)
_TEXTS = frozenset(("p", "title"))
_STEPS = frozenset((*_TEXTS, *_ASIDE, *_LOCATIONS, *_OTHER_ARTICLES, *_SECTIONS))


class Place:
    """Where an element stands: sections above it, part of the article, language, the text block that it is inside of.

    `is_aside` is true inside figures, tables and media: text that is not running text.
    """

    __slots__ = ("_path", "above", "depth", "host", "is_aside", "language", "location", "owner_article", "title")

    def __init__(self, above: "Place | None", element: etree._Element):
        self.above = above
        self._path: list[str] | None = None
        self.title: etree._Element | None = None
        self.depth: int = above.depth if above is not None else 0
        self.location: str | None = above.location if above is not None else None
        self.language: str | None = element.get(XML_LANG) or (above.language if above is not None else None)
        self.host: etree._Element | None = above.host if above is not None else None
        self.is_aside: bool = above is not None and above.is_aside
        self.owner_article: etree._Element = above.owner_article if above is not None else element

    def section_path(self) -> list[str]:
        """Titles of the sections above, outermost first; a section without title has no entry."""
        if self._path is None:
            above = self.above.section_path() if self.above is not None else []
            title = text_of(self.title) if self.title is not None else ""
            self._path = [*above, title] if title else above
        return self._path


_WALKER = native and native.Walker(
    collected=_WALKED,
    texts=_TEXTS,
    asides=_ASIDE,
    locations=_LOCATIONS,
    articles=_OTHER_ARTICLES,
    sections=_SECTIONS,
    floats=(*FLOATS, "graphic"),
    named=(*GRAPHICS, *SHOWING),
    max_depth=MAX_SECTION_DEPTH,
)
PubId = tuple[bool, str | etree._Element, etree._Element | None, bool]
_CITATIONS = frozenset(("element-citation", "mixed-citation", "citation", "nlm-citation"))


class Outline:
    """The elements of one article by name in document order, and the place of each.

    `pub_ids` are its PMIDs and DOIs in document order: whether it is a PMID, its text or, where that has markup, its
    element, the list of references around it, and whether it stands in a citation of a reference. `is_linked` is false
    where no reference has a link to a DOI. The compiled walk leaves out each xref that can name no graphic.
    """

    elements: list[etree._Element]
    found: dict[str, list[etree._Element]]
    paragraphs: list[tuple[etree._Element, Place]]
    pub_ids: list[PubId]
    is_linked: bool
    has_entity: bool

    def __init__(self, article: etree._Element):
        self.article = article
        self._places: dict[etree._Element, Any] = {}
        self._standing_of: dict[etree._Element, Place] = {}
        vars(self).update((_WALKER and _WALKER.walk(article)) or self._walk())
        standing = self._standing_of
        self.floats = [(e, standing[e]) for name in (*FLOATS, "graphic") for e in self.found[name] if e in standing]

    def _walk(self) -> dict[str, Any]:
        article = self.article
        self._places[article] = Place(None, article)
        elements = list(article.iter(*_WALKED, etree.Entity))
        found: dict[Any, list[etree._Element]] = {name: [] for name in (*_WALKED, etree.Entity)}
        append = {name: elements.append for name, elements in found.items()}
        for element in elements:
            append[element.tag](element)
        floats = [element for name in FLOATS for element in found[name]]
        floats += [graphic for graphic in found["graphic"] if _has_caption(graphic)]
        return {
            "elements": elements,
            "found": found,
            "paragraphs": [(paragraph, self._place_above(paragraph)) for paragraph in found["p"]],
            "_standing_of": {element: self._place_above(element) for element in floats},
            "_places": {article: self._places[article]},
            "pub_ids": [_pub_id(each) for each in found["pub-id"] if each.get("pub-id-type") in ("pmid", "doi")],
            "is_linked": True,
            "has_entity": bool(found[etree.Entity]),
        }

    def standing_of(self, element: etree._Element) -> Place:
        """Tell where an element itself stands; a float that was taken out of running text stands where it stood."""
        place = self._standing_of.get(element)
        return place if place is not None else self._place_above(element)

    def _place_above(self, element: etree._Element) -> Place:
        parent = element.getparent()
        if parent is None:
            return self.place_of(element)
        place = self._places.get(parent)
        return place if place is not None else self.place_of(parent)

    def place_of(self, element: etree._Element) -> Place:
        """Tell where the content of an element stands (the element itself counts as above it)."""
        places = self._places
        place = places.get(element)
        if place is not None:
            return place
        chain = [element]
        place = None
        while place is None:
            place = self._standing_of.get(chain[-1])
            if place is not None:
                break
            above = chain[-1].getparent()
            place = places[self.article] if above is None else places.get(above)
            if place is None and above is not None:
                chain.append(above)
        for inner in reversed(chain):
            place = places[inner] = self._step(inner, place)
        return place

    def _step(self, element: etree._Element, above: Place) -> Place:
        tag = str(element.tag)
        if tag not in _STEPS and not tag.endswith("}treatment-sec"):
            return above
        place = Place(above, element)
        if tag in _TEXTS:
            if place.host is None:
                place.host = element
        elif tag in _ASIDE:
            place.is_aside = True
            place.host = None
        elif tag in _LOCATIONS:
            if above.location not in _OTHER_ARTICLES:
                place.location = _LOCATIONS[tag]
        elif tag in _OTHER_ARTICLES:
            place.location = tag
            place.owner_article = element
            place.above = None
            place.host = None
        else:
            _enter_section(place, element)
        return place


def _enter_section(place: Place, element: etree._Element) -> None:
    if element.tag == "boxed-text":
        place.host = None
    if place.depth >= MAX_SECTION_DEPTH:
        return
    place.depth += 1
    for child in element:
        if child.tag == "title":
            place.title = child
            return
        if child.tag == "caption":
            place.title = child.find("title")
        if child.tag in ("p", "sec"):
            return


def _has_caption(graphic: etree._Element) -> bool:
    return any(child.tag in ("caption", "label") for child in graphic)


def _pub_id(element: etree._Element) -> PubId:
    parent = element.getparent()
    above = parent.getparent() if parent is not None and parent.tag in _CITATIONS else None
    is_cited = above is not None and above.tag == "ref"
    around = above.getparent() if is_cited and above is not None else None
    if around is None or around.tag != "ref-list":
        around = next(element.iterancestors("ref-list"), None)
    return element.get("pub-id-type") == "pmid", element, around, is_cited
