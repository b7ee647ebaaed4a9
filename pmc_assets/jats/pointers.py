"""Pointers: each xref that names a figure, the paragraph that it stands in, and its place in the paragraph's text."""

import re
from dataclasses import dataclass
from unicodedata import normalize

from lxml import etree

from pmc_assets.jats.compiled import compiled
from pmc_assets.jats.graphics import Showing
from pmc_assets.jats.outline import Outline
from pmc_assets.jats.text import POINTER_END, POINTER_START, marked_text_of, paragraph_text_of, text_of
from pmc_assets.jats.tree import below

CONTEXT_CHARACTERS = 12
MAX_GROUP_MEMBERS = 60
MAX_COUNTED_POINTERS = 60
"""Pointers of one paragraph up to which counting their texts is cheaper than marking them."""
_MARK_AND_TEXT = re.compile(f"[{POINTER_START}{POINTER_END}]|[^{POINTER_START}{POINTER_END}]+")
_PASSED_BY = frozenset(("td", "th", "fig", "table-wrap", "title", "label", "ref", "aff", "contrib"))
_UP_TO = frozenset(("sec", "body", "back", "front", "article"))


@compiled
@dataclass(slots=True)
class Pointer:
    """One xref: the figures that it names, and where its text stands in the paragraph."""

    xref: etree._Element
    targets: list[int]
    start: int = 0
    end: int = 0


Pointers = dict[etree._Element, list[Pointer]]


def figures_by_id(showings: list[Showing], *, has_groups: bool) -> dict[str, list[int]]:
    """Index figures by every id that an xref can name: the figure's, its graphics', its group's (all members).

    An id that is given twice names the first figure that has it.
    """
    by_id: dict[str, list[int]] = {}
    members: dict[str, list[int]] = {}
    for index, showing in enumerate(showings):
        for named in (showing.element, *showing.elements):
            identifier = named.get("id")
            if identifier:
                by_id.setdefault(identifier, [index])
        parent = showing.element.getparent() if has_groups else None
        group_id = parent.get("id") if parent is not None and parent.tag == "fig-group" else None
        if group_id and len(members.setdefault(group_id, [])) < MAX_GROUP_MEMBERS:
            members[group_id].append(index)
    return members | by_id


def find_pointers(outline: Outline, by_id: dict[str, list[int]]) -> Pointers:
    """Find each xref that points at a figure, by the paragraph that it stands in."""
    paragraphs: Pointers = {}
    for xref in outline.found["xref"]:
        rid = xref.get("rid") or ""
        targets = by_id.get(rid)
        if targets is None:
            if not rid or rid.isalnum():
                continue
            targets = [index for part in rid.split() for index in by_id.get(part, ())]
            if not targets:
                continue
        paragraph = _paragraph_of(xref)
        if paragraph is not None:
            paragraphs.setdefault(paragraph, []).append(Pointer(xref, targets))
    return paragraphs


@compiled
def _paragraph_of(xref: etree._Element) -> etree._Element | None:
    parent = xref.getparent()
    while parent is not None and parent.tag != "p":
        if parent.tag in _PASSED_BY or parent.tag in _UP_TO:
            return None
        parent = parent.getparent()
    return parent


def read_and_locate(paragraph: etree._Element, pointers: list[Pointer]) -> str:
    """Read the text of a paragraph, and note in its pointers where they stand in it."""
    text = located_text(paragraph, pointers)
    if text is None:
        text = paragraph_text_of(paragraph)
        locate_pointers(paragraph, pointers, text)
    return text


@compiled
def located_text(paragraph: etree._Element, pointers: list[Pointer]) -> str | None:
    """Read the text of a paragraph and note where its pointers stand in it, both at once.

    Empty: None where the places are to be searched for in the text.
    """
    return None


def locate_pointers(paragraph: etree._Element, pointers: list[Pointer], text: str) -> None:
    """Note in the pointers of a paragraph where they stand in its text: by their own text, by marks where it recurs."""
    if len(pointers) > MAX_COUNTED_POINTERS or not _find_labels(text, pointers):
        _locate_by_marks(paragraph, pointers, text)


def _find_labels(text: str, pointers: list[Pointer]) -> bool:
    """Note the places of pointers that their text, or it and what follows, tells apart; False if one is not so."""
    labels = [text_of(pointer.xref) for pointer in pointers]
    position = 0
    for pointer, label in zip(pointers, labels, strict=True):
        if not label or (len(pointer.xref) and below(pointer.xref, "xref")):
            return False
        start = text.find(label, position)
        occurrences = text.count(label)
        if occurrences > 1 and occurrences != labels.count(label):
            tail = pointer.xref.tail or ""
            context = label + tail[:CONTEXT_CHARACTERS]
            if len(tail) < CONTEXT_CHARACTERS or text.find(context) != text.rfind(context):
                return False
            start = text.find(context, position)
        if start < 0 or 0 <= text.find(label, start + 1) < start + len(label):
            return False
        pointer.start = start
        position = pointer.end = start + len(label)
    return True


def _locate_by_marks(paragraph: etree._Element, pointers: list[Pointer], text: str) -> None:
    """Note the places of pointers by marks around their text.

    Empty: the places stay 0 where the article itself uses the characters of the marks.
    """
    for pointer in pointers:
        pointer.xref.text = POINTER_START + (pointer.xref.text or "")
        pointer.xref.tail = POINTER_END + (pointer.xref.tail or "")
    marked = marked_text_of(paragraph)
    for pointer in pointers:
        pointer.xref.text = (pointer.xref.text or "").removeprefix(POINTER_START)
        pointer.xref.tail = (pointer.xref.tail or "").removeprefix(POINTER_END)
        pointer.start = pointer.end = 0
    if not marked.count(POINTER_START) == marked.count(POINTER_END) == len(pointers):
        return
    if marked.replace(POINTER_START, "").replace(POINTER_END, "") != text:
        marked = normalize("NFC", _collapsed(marked))
    _note_places(marked, pointers)
    for pointer in pointers:
        pointer.end = min(pointer.end, len(text))
        pointer.start = min(pointer.start, pointer.end)
        while pointer.start < pointer.end and text[pointer.start] == " ":
            pointer.start += 1
        while pointer.start < pointer.end and text[pointer.end - 1] == " ":
            pointer.end -= 1


def _note_places(marked: str, pointers: list[Pointer]) -> None:
    """Note the places of pointers in a text that has no white space to collapse; pointers may be nested."""
    waiting = iter(pointers)
    opened: list[Pointer] = []
    start, end = marked.find(POINTER_START), marked.find(POINTER_END)
    for shift in range(2 * len(pointers)):
        if 0 <= start < end:
            opened.append(next(waiting))
            opened[-1].start = start - shift
            start = marked.find(POINTER_START, start + 1)
        else:
            opened.pop().end = end - shift
            end = marked.find(POINTER_END, end + 1)


def _collapsed(marked: str) -> str:
    """Collapse white space, also across marks."""
    pieces: list[str] = []
    is_spaced = True
    for piece in _MARK_AND_TEXT.findall(marked):
        if piece in (POINTER_START, POINTER_END):
            pieces.append(piece)
            continue
        words = " ".join(piece.split())
        if piece[0].isspace() and not is_spaced:
            pieces.append(" ")
            is_spaced = True
        if words:
            is_spaced = piece[-1].isspace()
            pieces.append(words + " " * is_spaced)
    return "".join(pieces)
