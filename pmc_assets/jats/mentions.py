"""Mentions: every paragraph that points at a figure, once per figure, with the place of the pointer in its text."""

import re
from dataclasses import dataclass
from unicodedata import normalize

from lxml import etree

from pmc_assets.jats.graphics import Showing
from pmc_assets.jats.outline import Outline
from pmc_assets.jats.text import POINTER_END, POINTER_START, marked_text_of, text_of

MAX_RANGE = 60
CONTEXT_CHARACTERS = 12
MAX_BETWEEN_CHARACTERS = 12
_RANGE_STARTS = frozenset("-‐‑‒–—− ")
_MARK_AND_TEXT = re.compile(f"[{POINTER_START}{POINTER_END}]|[^{POINTER_START}{POINTER_END}]+")
_BETWEEN_RANGE = re.compile(r"\s*(?:[-‐‑‒–—−~]+|to|through|until|till)\s*")
_RANGE_IN_TEXT = re.compile(r"(\d+)\s*[A-Za-z]?\s*(?:[-‐‑‒–—−]|to|through)\s*(\d+)(?![\d.])")
_RANGE_AFTER = re.compile(r"(?:[-‐‑‒–—−]| to | through )(\d+)(?![\d.])")
_LABEL_NUMBER = re.compile(r"(\D*?)\s*(\d+)\s*[.:|]?")
_PASSED_BY = frozenset(("td", "th", "fig", "table-wrap", "title", "label", "ref", "aff", "contrib"))
_UP_TO = frozenset(("sec", "body", "back", "front", "article"))


@dataclass(slots=True)
class _Pointer:
    """One xref: the figures that it names, and where its text stands in the paragraph."""

    xref: etree._Element
    targets: list[int]
    start: int = 0
    end: int = 0


def figures_by_id(showings: list[Showing]) -> dict[str, list[int]]:
    """Index figures by every id that an xref can name: the figure's, its graphics', its group's (all members)."""
    by_id: dict[str, list[int]] = {}
    for index, showing in enumerate(showings):
        ids = [showing.element.get("id"), *(graphic.get("id") for graphic in showing.elements)]
        parent = showing.element.getparent()
        if parent is not None and parent.tag == "fig-group":
            ids.append(parent.get("id"))
        for identifier in dict.fromkeys(ids):
            if identifier:
                by_id.setdefault(identifier, []).append(index)
    return by_id


Pointers = dict[etree._Element, list[_Pointer]]


class FigureNumbers:
    """Finds the figures of a range by the numbers in their labels; labels of sub-articles count apart."""

    def __init__(self, rows: list[dict]):
        self._rows = rows
        self._numbers: dict[int, tuple[str, int, str]] | None = None
        self._by_number: dict[tuple[str, int, str], int] = {}

    def _numbered(self) -> dict[int, tuple[str, int, str]]:
        """Read the labels' numbers at their first use: few articles print a range."""
        if self._numbers is None:
            self._numbers = {}
            for index, row in enumerate(self._rows):
                match = _LABEL_NUMBER.fullmatch(row["figure_label"] or "")
                if match:
                    part = row["location"] if row["location"] in ("sub-article", "response") else ""
                    self._numbers[index] = match[1].lower(), int(match[2]), part
                    self._by_number.setdefault(self._numbers[index], index)
        return self._numbers

    def between(self, first: int, last: int) -> list[int]:
        """List the figures after one and before another: by the numbers of their labels, else in document order."""
        low, high = self._numbered().get(first), self._numbered().get(last)
        if low is not None and high is not None and (low[0], low[2]) == (high[0], high[2]):
            return self.numbered(first, low[1] + 1, high[1] - 1)
        kind = self._rows[first]["kind"]
        if kind != self._rows[last]["kind"] or last - first > MAX_RANGE:
            return []
        return [index for index in range(first + 1, last) if self._rows[index]["kind"] == kind]

    def numbered(self, like: int, low: int, high: int) -> list[int]:
        """List the figures whose labels carry the numbers low to high beside the word of the figure `like`."""
        if high - low > MAX_RANGE or like not in self._numbered():
            return []
        word, _, location = self._numbered()[like]
        found = (self._by_number.get((word, number, location)) for number in range(low, high + 1))
        return [index for index in found if index is not None]

    def number_of(self, index: int) -> int | None:
        key = self._numbered().get(index)
        return key[1] if key else None


def find_pointers(outline: Outline, by_id: dict[str, list[int]]) -> Pointers:
    """Find each xref that points at a figure, by the paragraph that it stands in."""
    paragraphs: Pointers = {}
    for xref in outline.found["xref"]:
        rid = xref.get("rid")
        targets = by_id.get(rid)
        if targets is None:
            if not rid or " " not in rid:
                continue
            targets = [index for part in rid.split() for index in by_id.get(part, ())]
            if not targets:
                continue
        paragraph = _paragraph_of(xref)
        if paragraph is not None:
            paragraphs.setdefault(paragraph, []).append(_Pointer(xref, targets))
    return paragraphs


def _paragraph_of(xref: etree._Element) -> etree._Element | None:
    parent = xref.getparent()
    while parent is not None and parent.tag != "p":
        if parent.tag in _PASSED_BY or parent.tag in _UP_TO:
            return None
        parent = parent.getparent()
    return parent


def read_mentions(
    outline: Outline, paragraphs: Pointers, numbers: FigureNumbers
) -> tuple[list[dict], dict[etree._Element, str]]:
    """Read the paragraphs with pointers as (rows of core.mentions without the key, text of each paragraph)."""
    rows: list[dict] = []
    texts: dict[etree._Element, str] = {}
    if not paragraphs:
        return rows, texts
    for paragraph, place in outline.paragraphs:
        own = paragraphs.get(paragraph)
        if own is None:
            continue
        text = texts[paragraph] = text_of(paragraph)
        if not _find_labels(text, own):
            _locate(paragraph, own, text)
        section_path = place.section_path()
        for figure_index, (start, end, is_expanded) in _spans(own, text, numbers).items():
            rows.append(
                {
                    "figure_index": figure_index,
                    "mention_index": 0,
                    "section_path": section_path,
                    "text": text,
                    "span_start": start,
                    "span_end": end,
                    "is_range_expanded": is_expanded,
                }
            )
    rows.sort(key=_figure_index)
    last, count = -1, 0
    for row in rows:
        count = count + 1 if row["figure_index"] == last else 0
        last = row["figure_index"]
        row["mention_index"] = count
    return rows, texts


def _figure_index(row: dict) -> int:
    return row["figure_index"]


def _find_labels(text: str, pointers: list[_Pointer]) -> bool:
    """Note the places of pointers that their text, or it and what follows, tells apart; False if one is not so."""
    labels = [text_of(pointer.xref) for pointer in pointers]
    position = 0
    for pointer, label in zip(pointers, labels, strict=True):
        if not label:
            return False
        start = text.find(label, position)
        occurrences = text.count(label)
        if occurrences > 1 and occurrences != labels.count(label):
            tail = pointer.xref.tail or ""
            context = label + tail[:CONTEXT_CHARACTERS]
            if len(tail) < CONTEXT_CHARACTERS or text.count(context) != 1:
                return False
            start = text.find(context, position)
        if start < 0:
            return False
        pointer.start = start
        position = pointer.end = start + len(label)
    return True


def _locate(paragraph: etree._Element, pointers: list[_Pointer], text: str) -> None:
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
    plain = marked.replace(POINTER_START, "").replace(POINTER_END, "")
    if plain == text:
        _note_places(marked, pointers)
    else:
        plain = _note_places_collapsed(marked, pointers)
        for pointer in pointers:
            pointer.start = len(normalize("NFC", plain[: pointer.start]))
            pointer.end = len(normalize("NFC", plain[: pointer.end]))
    for pointer in pointers:
        while pointer.start < pointer.end and text[pointer.start] == " ":
            pointer.start += 1
        while pointer.start < pointer.end and text[pointer.end - 1] == " ":
            pointer.end -= 1


def _note_places(marked: str, pointers: list[_Pointer]) -> None:
    """Note the places of pointers in a text that has no white space to collapse; pointers may be nested."""
    waiting = iter(pointers)
    opened: list[_Pointer] = []
    start, end = marked.find(POINTER_START), marked.find(POINTER_END)
    for shift in range(2 * len(pointers)):
        if 0 <= start < end:
            opened.append(next(waiting))
            opened[-1].start = start - shift
            start = marked.find(POINTER_START, start + 1)
        else:
            opened.pop().end = end - shift
            end = marked.find(POINTER_END, end + 1)


def _note_places_collapsed(marked: str, pointers: list[_Pointer]) -> str:
    """Collapse white space, also across marks, and note the places of pointers in the result."""
    waiting = iter(pointers)
    opened: list[_Pointer] = []
    text = ""
    for piece in _MARK_AND_TEXT.findall(marked):
        if piece == POINTER_START:
            opened.append(next(waiting))
            opened[-1].start = len(text)
        elif piece == POINTER_END:
            opened.pop().end = len(text)
        else:
            words = " ".join(piece.split())
            is_parted = piece[0].isspace() and text and not text.endswith(" ")
            text += (" " if is_parted else "") + words + (" " if words and piece[-1].isspace() else "")
    return text.rstrip()


def _spans(pointers: list[_Pointer], text: str, numbers: FigureNumbers) -> dict[int, tuple[int, int, bool]]:
    """Give the span of the first pointer to each figure; figures inside a range get the span of the range."""
    spans: dict[int, tuple[int, int, bool]] = {}
    expanded: dict[int, tuple[int, int, bool]] = {}
    for place, pointer in enumerate(pointers):
        for target in pointer.targets:
            spans.setdefault(target, (pointer.start, pointer.end, False))
        following = pointers[place + 1] if place + 1 < len(pointers) else None
        inside, end = _range_from(pointer, following, text, numbers)
        for index in inside:
            expanded.setdefault(index, (pointer.start, end, True))
    return expanded | spans


def _range_from(
    pointer: _Pointer, following: _Pointer | None, text: str, numbers: FigureNumbers
) -> tuple[list[int], int]:
    """List the figures of a range that a pointer starts, and where the range ends in the text."""
    start, end = pointer.start, pointer.end
    if following is not None and 0 < following.start - end <= MAX_BETWEEN_CHARACTERS:
        if _BETWEEN_RANGE.fullmatch(text, end, following.start):
            return numbers.between(pointer.targets[-1], following.targets[0]), following.end
    elif end - start > 2 and _RANGE_IN_TEXT.search(text, start, end):
        return _inside_pointer(pointer, text, numbers), end
    if text[end : end + 1] in _RANGE_STARTS:
        match = _RANGE_AFTER.match(text, end)
        number = numbers.number_of(pointer.targets[-1]) if match else None
        if match and number is not None:
            last = int(match[1])
            inside = numbers.numbered(pointer.targets[-1], number + 1, last)
            if inside and numbers.number_of(inside[-1]) == last:
                return inside, match.end()
    return [], end


def _inside_pointer(pointer: _Pointer, text: str, numbers: FigureNumbers) -> list[int]:
    """Expand a range that one xref prints: its ids are the ends, or only the first of them."""
    match = _RANGE_IN_TEXT.search(text, pointer.start, pointer.end)
    if match is None:
        return []
    first, last = int(match[1]), int(match[2])
    known = {numbers.number_of(target) for target in pointer.targets}
    if first in known or last in known:
        return numbers.numbered(pointer.targets[0], first, last)
    return numbers.between(pointer.targets[0], pointer.targets[-1])
