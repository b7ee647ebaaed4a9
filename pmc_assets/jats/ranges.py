"""Ranges: the figures that "Figs 2-4" means without naming them."""

import re

from pmc_assets.jats.pointers import Pointer

MAX_RANGE = 60
MAX_BETWEEN_CHARACTERS = 12
_RANGE_STARTS = frozenset("-‐‑‒–—− ")
_BETWEEN_RANGE = re.compile(r"\s*(?:[-‐‑‒–—−~]+|to|through|until|till)\s*")
_RANGE_IN_TEXT = re.compile(r"(\d+)\s*[A-Za-z]?\s*(?:[-‐‑‒–—−]|to|through)\s*(\d+)(?![\d.])")
_RANGE_AFTER = re.compile(r"(?:[-‐‑‒–—−]| to | through )(\d+)(?![\d.])")
_LABEL_NUMBER = re.compile(r"(\D*?)\s*(\d+)\s*[.:|]?")


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


def figures_in_range(
    pointer: Pointer, following: Pointer | None, text: str, numbers: FigureNumbers
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


def _inside_pointer(pointer: Pointer, text: str, numbers: FigureNumbers) -> list[int]:
    """Expand a range that one xref prints: its ids are the ends, or only the first of them."""
    match = _RANGE_IN_TEXT.search(text, pointer.start, pointer.end)
    if match is None:
        return []
    first, last = int(match[1]), int(match[2])
    known = {numbers.number_of(target) for target in pointer.targets}
    if first in known or last in known:
        return numbers.numbered(pointer.targets[0], first, last)
    return numbers.between(pointer.targets[0], pointer.targets[-1])
