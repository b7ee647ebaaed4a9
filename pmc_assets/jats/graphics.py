"""Which element shows which graphics, and of what kind it is: figures, tables, formulas, and what stands alone."""

from dataclasses import dataclass

from lxml import etree

from pmc_assets.jats.compiled import compiled
from pmc_assets.jats.names import GRAPHICS, XLINK_HREF, XML_LANG
from pmc_assets.jats.outline import Outline
from pmc_assets.jats.text import text_of
from pmc_assets.jats.tree import child_of

_KIND_OF_OWNER = {
    "fig": "figure",
    "fig-group": "figure",
    "table-wrap": "table",
    "table-wrap-group": "table",
    "disp-formula": "formula",
    "inline-formula": "formula",
    "chem-struct-wrap": "chemical_structure",
    "chem-struct": "chemical_structure",
    "supplementary-material": "supplementary",
    "inline-supplementary-material": "supplementary",
    "media": "supplementary",
    "inline-media": "supplementary",
}
_OWNERS = frozenset(_KIND_OF_OWNER) - {"fig", "fig-group", "media", "inline-media"}
_OUTSIDE = frozenset(
    ("sec", "body", "back", "floats-group", "floats-wrap", "boxed-text", "app", "front", "sub-article")
)
_PICTURES = ("graphic", "media")
_Reference = tuple[etree._Element, str]


@compiled
@dataclass(slots=True)
class Showing:
    """One element that shows graphics: the rows of `graphics` are GRAPHIC structs, alternatives included."""

    element: etree._Element
    kind: str
    graphics: list[dict]
    elements: list[etree._Element]


def read_showings(outline: Outline) -> list[Showing]:
    """Find every fig, and every other element that shows a graphic, in document order.

    Source: fig always; table-wrap, disp-formula, inline-formula, chem-struct-wrap, supplementary-material and media
        where they have an xlink:href in them. A graphic inside a fig is the innermost fig's.
    """
    found = outline.found
    owned: dict[etree._Element, list[_Reference]] = {figure: [] for figure in found["fig"]}
    group_owners = {group: _owner_in_group(group) for group in found["fig-group"]}
    for name in GRAPHICS:
        for graphic in found[name]:
            href = href_of(graphic)
            if href:
                owned.setdefault(_owner(graphic, group_owners), []).append((graphic, href))
    order = list(owned) if len(owned) == len(found["fig"]) else [e for e in outline.elements if e in owned]
    return [_showing(element, owned[element]) for element in order]


@compiled
def href_of(graphic: etree._Element) -> str | None:
    """Give the xlink:href as written, blanks around it aside; None where there is none."""
    href = graphic.get(XLINK_HREF) or graphic.get("xlink:href")
    return href.strip() or None if href else None


def _owner(graphic: etree._Element, group_owners: dict[etree._Element, etree._Element]) -> etree._Element:
    owner = graphic if graphic.tag == "supplementary-material" else None
    parent = graphic.getparent()
    while parent is not None:
        tag = parent.tag
        if tag == "fig":
            return parent if owner is None or graphic.tag == "graphic" else owner
        if owner is None:
            if tag in _OWNERS:
                owner = parent
            elif tag == "fig-group":
                owner = group_owners.get(parent)
        if tag in _OUTSIDE:
            break
        parent = parent.getparent()
    return graphic if owner is None else owner


def _owner_in_group(group: etree._Element) -> etree._Element:
    """Give a graphic that the group's figures share to the figure in the article's language, else to the first."""
    figures = group.findall("fig")
    if not figures or any(figure.find(".//graphic") is not None for figure in figures):
        return group
    article = next(group.iterancestors("sub-article", "article"))
    language = article.get(XML_LANG)
    return next((figure for figure in figures if figure.get(XML_LANG) == language), figures[0])


def _showing(element: etree._Element, references: list[_Reference]) -> Showing:
    if len(references) == 1:
        ((graphic, href),) = references
        return Showing(element, _kind(element), [_graphic_row(graphic, href, 0, 0)], [graphic])
    showing = Showing(element, _kind(element), [], [])
    places: dict[etree._Element, list[int]] = {}
    for graphic, href in sorted(references, key=lambda reference: reference[0].tag not in _PICTURES):
        parent = graphic.getparent()
        shared = parent if parent is not None and parent.tag == "alternatives" else graphic
        place = places.setdefault(shared, [len(places), 0])
        showing.graphics.append(_graphic_row(graphic, href, *place))
        showing.elements.append(graphic)
        place[1] += 1
    showing.graphics.sort(key=lambda row: row["graphic_index"])
    return showing


def _graphic_row(graphic: etree._Element, href: str, graphic_index: int, alternative_index: int) -> dict:
    mime_type, subtype = graphic.get("mimetype"), graphic.get("mime-subtype")
    if mime_type and subtype and "/" not in mime_type:
        mime_type = f"{mime_type}/{subtype}"
    return {
        "graphic_index": graphic_index,
        "alternative_index": alternative_index,
        "graphic_ref": href,
        "element": graphic.tag,
        "mime_type": mime_type,
    }


def _kind(element: etree._Element) -> str:
    if element.tag == "fig":
        return "scheme" if _is_scheme(element) else "figure"
    if element.tag == "fig-group" and child_of(element, "fig") is not None:
        return "graphic"
    return _KIND_OF_OWNER.get(str(element.tag), "graphic")


def _is_scheme(figure: etree._Element) -> bool:
    fig_type = figure.get("fig-type")
    if fig_type and "scheme" in fig_type.lower():
        return True
    label = child_of(figure, "label")
    return label is not None and text_of(label)[:6].lower() == "scheme"
