"""Ranges: the figures that "Figs 2-4" means without naming them."""

import re

from lxml import etree

from pmc_assets.jats.compiled import compiled
from pmc_assets.jats.graphics import Showing
from pmc_assets.jats.outline import Outline
from pmc_assets.jats.pointers import Pointer

MAX_RANGE = 60
MAX_BETWEEN_CHARACTERS = 14
_SIGNS = frozenset("-‐‑‒–—−~t")
"""One of them is in every range: a dash, or the t of to, through, until, till."""
_DASH = "[-‐‑‒–—−]"
_WORD = r"(?:[Ff]ig(?:ure)?s?\.?\s*)?"
_END = r"(\d{1,3})(?!\d|\.\d)"
_BETWEEN_RANGE = re.compile(rf"[\s)\]]*(?:{_DASH}+|~|to|through|until|till)[\s(\[]*{_WORD}")
_RANGE_IN_TEXT = re.compile(rf"(?<!\d)(\d{{1,3}})\s*[A-Za-z]?\s*(?:{_DASH}|to|through)\s*{_WORD}S?{_END}")
_RANGE_AFTER = re.compile(rf"(?:{_DASH}| {_DASH} (?=S?\d+[A-Za-z]?[),;\]])| to | through ){_WORD}S?{_END}")
_LABEL_NUMBER = re.compile(r"(\D*?)\s*(\d{1,3})(\s[^\W\d]+)?\s*[.:|]?")
_DIGITS = re.compile(r"\d+")

_Number = tuple[str, int, etree._Element]


class FigureNumbers:
    """Finds the figures of a range by the numbers in their labels (Figure 3, S3 Fig); each sub-article counts apart."""

    def __init__(self, outline: Outline, showings: list[Showing], rows: list[dict]):
        self._outline = outline
        self._showings = showings
        self._rows = rows
        self._numbers: dict[int, _Number] | None = None
        self._by_number: dict[_Number, int] = {}

    def _numbered(self) -> dict[int, _Number]:
        """Read the labels' numbers at their first use: few articles print a range."""
        if self._numbers is None:
            self._numbers = {}
            for index, row in enumerate(self._rows):
                match = _LABEL_NUMBER.fullmatch(row["figure_label"] or "")
                if match:
                    part = self._outline.standing_of(self._showings[index].element).owner_article
                    self._numbers[index] = (match[1] + (match[3] or "")).lower(), int(match[2]), part
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
        word, _, part = self._numbered()[like]
        found = (self._by_number.get((word, number, part)) for number in range(low, high + 1))
        return [index for index in found if index is not None]

    def number_of(self, index: int) -> int | None:
        key = self._numbered().get(index)
        return key[1] if key else None

    def agree(self, index: int, printed: str) -> bool:
        """Tell whether a pointer prints the number of the figure that it names, as far as both state one."""
        number = self.number_of(index)
        digits = _DIGITS.findall(printed)
        return number is None or not digits or str(number) in digits


@compiled
def may_be_in_range(pointer: Pointer, following: Pointer | None, text: str) -> bool:
    """Tell whether a sign of a range stands in a pointer, shortly after it or before the next: in most none does."""
    reach = pointer.end + 2
    if following is not None and pointer.end < following.start <= pointer.end + MAX_BETWEEN_CHARACTERS:
        reach = max(reach, following.start)
    return not _SIGNS.isdisjoint(text[pointer.start : reach])


def figures_in_range(
    pointer: Pointer, following: Pointer | None, text: str, numbers: FigureNumbers
) -> tuple[list[int], int]:
    """List the figures of a range that a pointer starts, and where the range ends in the text.

    Empty: no figures where there is no range, or where the printed numbers are not those of the figures named.
    """
    start, end = pointer.start, pointer.end
    is_near = following is not None and 0 < following.start - end <= MAX_BETWEEN_CHARACTERS
    if following is not None and is_near and _BETWEEN_RANGE.fullmatch(text, end, following.start):
        first, last = pointer.targets[-1], following.targets[0]
        is_sound = numbers.agree(first, text[start:end])
        is_sound = is_sound and numbers.agree(last, text[following.start : following.end])
        return (numbers.between(first, last), following.end) if is_sound else ([], end)
    if end - start > 2 and _RANGE_IN_TEXT.search(text, start, end):
        return _inside_pointer(pointer, text, numbers), end
    match = _RANGE_AFTER.match(text, end)
    number = numbers.number_of(pointer.targets[-1]) if match else None
    if match and number is not None:
        last = int(match[1])
        inside = numbers.numbered(pointer.targets[-1], number + 1, last)
        if inside and numbers.number_of(inside[-1]) == last:
            return inside, match.end()
    return [], end


def _inside_pointer(pointer: Pointer, text: str, numbers: FigureNumbers) -> list[int]:
    """Expand the ranges that one xref prints: its ids are the ends, or only the first of them."""
    inside: list[int] = []
    known = {numbers.number_of(target) for target in pointer.targets}
    for match in _RANGE_IN_TEXT.finditer(text, pointer.start, pointer.end):
        first, last = int(match[1]), int(match[2])
        if first in known or last in known:
            inside += numbers.numbered(pointer.targets[0], first, last)
        elif None in known:
            inside += numbers.between(pointer.targets[0], pointer.targets[-1])
    return inside
