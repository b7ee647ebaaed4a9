"""Mentions: every paragraph that points at a figure, once per figure, with the place of the pointer in its text."""

import re
from dataclasses import dataclass
from unicodedata import normalize

from lxml import etree

from pmc_assets.jats.graphics import Showing
from pmc_assets.jats.outline import Outline
from pmc_assets.jats.text import POINTER_END, POINTER_START, marked_text_of, tidy

MAX_RANGE = 60
_MARK = re.compile(f"[{POINTER_START}{POINTER_END}]")
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


class FigureNumbers:
    """Finds the figures of a range by the numbers in their labels; labels of sub-articles count apart."""

    def __init__(self, rows: list[dict]):
        self._numbers: dict[int, tuple[str, int, str]] = {}
        self._by_number: dict[tuple[str, int, str], int] = {}
        self._kinds = [row["kind"] for row in rows]
        for index, row in enumerate(rows):
            label = row["figure_label"]
            match = _LABEL_NUMBER.fullmatch(label) if label else None
            if match:
                part = row["location"] if row["location"] in ("sub-article", "response") else ""
                key = match[1].lower(), int(match[2]), part
                self._numbers[index] = key
                self._by_number.setdefault(key, index)

    def between(self, first: int, last: int) -> list[int]:
        """List the figures after one and before another: by the numbers of their labels, else in document order."""
        low, high = self._numbers.get(first), self._numbers.get(last)
        if low is not None and high is not None and (low[0], low[2]) == (high[0], high[2]):
            return self.numbered(first, low[1] + 1, high[1] - 1)
        if self._kinds[first] != self._kinds[last] or last - first > MAX_RANGE:
            return []
        return [index for index in range(first + 1, last) if self._kinds[index] == self._kinds[first]]

    def numbered(self, like: int, low: int, high: int) -> list[int]:
        """List the figures whose labels carry the numbers low to high beside the word of the figure `like`."""
        if high - low > MAX_RANGE or like not in self._numbers:
            return []
        word, _, location = self._numbers[like]
        found = (self._by_number.get((word, number, location)) for number in range(low, high + 1))
        return [index for index in found if index is not None]

    def number_of(self, index: int) -> int | None:
        key = self._numbers.get(index)
        return key[1] if key else None


def mark_pointers(outline: Outline, by_id: dict[str, list[int]]) -> dict[etree._Element, list[_Pointer]]:
    """Mark the text of each xref that points at a figure, and group them by the paragraph that they stand in."""
    paragraphs: dict[etree._Element, list[_Pointer]] = {}
    for xref in outline.found["xref"]:
        rid = xref.get("rid")
        if not rid:
            continue
        targets = by_id.get(rid)
        if targets is None:
            if " " not in rid:
                continue
            targets = [index for part in rid.split() for index in by_id.get(part, ())]
            if not targets:
                continue
        paragraph = _paragraph_of(xref)
        if paragraph is not None:
            xref.text = POINTER_START + (xref.text or "")
            xref.tail = POINTER_END + (xref.tail or "")
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
    outline: Outline, paragraphs: dict[etree._Element, list[_Pointer]], numbers: FigureNumbers
) -> tuple[list[dict], dict[etree._Element, str]]:
    """Read the marked paragraphs as (rows of core.mentions without the key, text of each paragraph)."""
    rows: list[dict] = []
    texts: dict[etree._Element, str] = {}
    pointers_of = {pointer.xref: pointer for pointers in paragraphs.values() for pointer in pointers}
    for paragraph, place in outline.paragraphs:
        own = paragraphs.get(paragraph)
        if own is None:
            continue
        text = texts[paragraph] = _locate(marked_text_of(paragraph), paragraph, own, pointers_of)
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
    counts: dict[int, int] = {}
    for row in rows:
        row["mention_index"] = counts.get(row["figure_index"], 0)
        counts[row["figure_index"]] = row["mention_index"] + 1
    return rows, texts


def _figure_index(row: dict) -> int:
    return row["figure_index"]


def _locate(
    marked: str,
    paragraph: etree._Element,
    own: list[_Pointer],
    pointers_of: dict[etree._Element, _Pointer],
) -> str:
    """Give the paragraph's text without marks, and note in its pointers where they stand.

    Empty: the pointers' places stay 0 where the article itself uses the characters of the marks.
    """
    pointers = own
    if marked.count(POINTER_START) != len(own):
        pointers = [pointers_of[xref] for xref in paragraph.iter("xref") if xref in pointers_of]
    text = marked.replace(POINTER_START, "").replace(POINTER_END, "")
    composed = tidy(text)
    if not marked.count(POINTER_START) == marked.count(POINTER_END) == len(pointers):
        return composed
    if composed == text:
        _note_places(marked, pointers)
    else:
        text = _note_places_collapsed(marked, pointers)
        for pointer in pointers:
            pointer.start = len(normalize("NFC", text[: pointer.start]))
            pointer.end = len(normalize("NFC", text[: pointer.end]))
    for pointer in pointers:
        while pointer.start < pointer.end and composed[pointer.start] == " ":
            pointer.start += 1
        while pointer.start < pointer.end and composed[pointer.end - 1] == " ":
            pointer.end -= 1
    return composed


def _note_places(marked: str, pointers: list[_Pointer]) -> None:
    """Note the places of pointers in a text that has no white space to collapse; pointers may be nested."""
    waiting = iter(pointers)
    opened: list[_Pointer] = []
    for shift, mark in enumerate(_MARK.finditer(marked)):
        place = mark.start() - shift
        if mark[0] == POINTER_START:
            opened.append(next(waiting))
            opened[-1].start = place
        else:
            opened.pop().end = place


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
        end = pointer.end
        inside = _inside_pointer(pointer, text, numbers)
        if following is not None and _BETWEEN_RANGE.fullmatch(text[pointer.end : following.start]):
            inside = numbers.between(pointer.targets[-1], following.targets[0])
            end = following.end
        elif not inside:
            match = _RANGE_AFTER.match(text, pointer.end)
            number = numbers.number_of(pointer.targets[-1])
            if match and number is not None:
                inside = numbers.numbered(pointer.targets[-1], number + 1, int(match[1]))
                inside = inside if inside and numbers.number_of(inside[-1]) == int(match[1]) else []
                end = match.end()
        for index in inside:
            expanded.setdefault(index, (pointer.start, end, True))
    return expanded | spans


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
