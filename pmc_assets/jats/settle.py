"""Make the text of a tree readable in one C call per block: formulas as text, spaces at block boundaries, floats out.

Changes the tree in place; what it takes out of running text (figures, tables, boxes) stays whole beside it.
"""

from lxml import etree

from pmc_assets.jats.compiled import compiled
from pmc_assets.jats.formulas import settle_formulas
from pmc_assets.jats.outline import Outline
from pmc_assets.jats.text import text_of
from pmc_assets.jats.tree import child_of

_BLOCKS = (
    *("list-item", "def-item", "def", "disp-quote", "disp-formula", "statement", "speech", "verse-line"),
    *("preformat", "code", "fn", "array"),
)
_CLOSING = (".", ",", ";", ":", ")", "]", "?", "!")
_LIST_HEADS = ("title", "label", "term-head", "def-head")
_HIDDEN = ("alt-text", "long-desc", "index-term", "glyph-data")


def _read_descriptions(found: dict[str, list[etree._Element]]) -> dict[str, dict[etree._Element, str]]:
    """Read alt-text and long-desc by the element that they describe."""
    descriptions: dict[str, dict[etree._Element, str]] = {}
    for name in ("alt-text", "long-desc"):
        texts = descriptions[name] = {}
        for element in found[name]:
            described = next((each for each in element.iterancestors() if each.tag != "alternatives"), element)
            texts.setdefault(described, text_of(element))
    return descriptions


def settle_text(outline: Outline) -> dict[str, dict[etree._Element, str]]:
    """Settle formulas, line breaks, hidden text, item labels, blocks and floats inside running text.

    Shape: gives the alt-texts and long-descs that it hides, by their name and the element that they describe.
    """
    found = outline.found
    descriptions = _read_descriptions(found)
    settle_formulas(found)
    for name in _HIDDEN:
        for element in found[name]:
            del element[:]
            element.text = None
    for element in found["break"]:
        element.tail = " " + (element.tail or "")
    for item in (*found["list-item"], *found["def-item"]):
        _fold_label(item)
        before = item.getprevious()
        if before is not None and before.tag in _LIST_HEADS:
            space_around(before)
    for name in _BLOCKS:
        for element in found[name]:
            space_around(element)
    for element in found["disp-formula"]:
        _separate_label(element)
    for paragraph, place in outline.paragraphs:
        if place.host is not None:
            space_around(paragraph)
    for element, place in outline.floats:
        if place.host is not None:
            _take_out(element)
    return descriptions


@compiled
def space_around(element: etree._Element) -> None:
    """Part a block from the text before and after it by a space, but no closing mark from what is before the mark."""
    if not _starts_with_mark(element):
        element.text = " " + (element.text or "")
    if not _is_before_mark(element):
        element.tail = " " + (element.tail or "")


def _starts_with_mark(element: etree._Element) -> bool:
    while not element.text and len(element):
        element = element[0]
    return (element.text or "").startswith(_CLOSING)


def _is_before_mark(element: etree._Element) -> bool:
    """Tell whether the text after an element, and after all that ends where it ends, begins with a closing mark."""
    last: etree._Element | None = element
    while last is not None and not last.tail and last.getnext() is None:
        last = last.getparent()
    return last is not None and (last.tail or "").startswith(_CLOSING)


def _separate_label(formula: etree._Element) -> None:
    label = child_of(formula, "label")
    if label is not None:
        label.text = " " + (label.text or "")
        if label.getnext() is not None:
            label.tail = " " + (label.tail or "")


def _fold_label(item: etree._Element) -> None:
    """Move the label of a list item, or the term of a definition, to the head of the paragraph that it belongs to."""
    head = next(iter(item), None)
    if head is None or head.tag not in ("label", "term"):
        return
    block = head.getnext()
    paragraph = next(block.iter("p"), None) if block is not None else None
    if paragraph is None:
        space_around(head)
        return
    head.tail = " " + (paragraph.text or "")
    paragraph.text = None
    paragraph.insert(0, head)


def _take_out(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    before = element.getprevious()
    tail = element.tail or ""
    if not tail.startswith(_CLOSING):
        tail = " " + tail
    element.tail = None
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)
