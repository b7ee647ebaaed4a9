"""Parts of a caption that the caption itself marks by letters: (A) ... (B) ..., `a, ...; b, ...`, labelled list items.

Where the marks are not a whole run from the first letter there are no parts: a letter that only points at something
("the arrow in (B)") starts none.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from pmc_assets.jats.captions import Caption
from pmc_assets.jats.compiled import compiled
from pmc_assets.jats.text import text_of
from pmc_assets.jats.tree import below, children_of

MIN_PARTS = 2
MAX_MARK_CHARACTERS = 24
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_EITHER_CASE = frozenset(_LETTERS + _LETTERS.upper())
_ONE = r"[A-Za-z](?:\d|′|')?"
_PIECE = re.compile(rf"({_ONE})(?:\s?(?:[-–—‐−]|\bto\b)\s?({_ONE}))?")
_BETWEEN = r"\s?(?:[-–—‐−,&]|,?\s?and|to)\s?"
_GROUP = rf"({_ONE}(?:{_BETWEEN}{_ONE})*)"
_IN_BRACKETS = rf"[(\[]{_ONE}(?:{_BETWEEN}{_ONE})*[)\]]"
_BRACKETED = re.compile(rf"({_IN_BRACKETS}(?:{_BETWEEN}{_IN_BRACKETS})*)[.:,]?(?=\s|$)")
_GOING_ON = frozenset(("", *"-–—‐−,&at"))
"""What may follow a letter in brackets and a space where another letter belongs to the same mark."""
_BRACKETS = str.maketrans("", "", "()[]")
_HALF_BRACKETED = re.compile(rf"{_GROUP}\)[.:,]?(?=\s)")
_PUNCTUATED = re.compile(rf"{_GROUP}[.,:](?=\s)")
_STYLES = (_BRACKETED, _HALF_BRACKETED, _PUNCTUATED)
_BOLD_GROUP = re.compile(rf"[(\[]?{_GROUP}[)\]]?[.:,;]?")
_FIRST_LETTERS = ("A", "a")
_SENTENCE_ENDS = ".;:?!"
_AND = "and "
_BEFORE_SPACE = frozenset(_SENTENCE_ENDS + ")]\"”’'")


@compiled
@dataclass(slots=True)
class _Mark:
    start: int
    end: int
    letters: str
    first: int
    last: int


def read_subcaptions(caption: Caption, elements: list[etree._Element]) -> list[dict]:
    """Split a caption into its lettered parts: rows of `core.subcaptions` without the key.

    Shape: parts in reading order; a part runs from its mark to the next part or to the end of the caption.
    Empty: [] unless at least two parts follow each other from the first letter without a gap, and where the last of
        them names the next letter: what is of that letter stands somewhere in it.
    """
    text = caption.text
    starts = caption.block_starts
    bracketed, lettered = part_starts(text, starts)
    for style in _STYLES:
        candidates = bracketed if style is _BRACKETED else lettered
        run = _run(_marks(style, text, candidates)) if len(candidates) >= MIN_PARTS else []
        if run:
            return _rows(text, run) if _is_whole(text, run) else []
    printed_bold, lists = bold_and_lists(elements)
    run = _run(_bold_marks(text, starts, printed_bold)) if printed_bold else []
    run = run or (_run(_list_marks(text, lists[0])) if len(lists) == 1 else [])
    return _rows(text, run) if run and _is_whole(text, run) else []


@compiled
def part_starts(text: str, starts: list[int]) -> tuple[list[int], list[int]]:
    """List where a sentence or block begins with a bracket, and where with a single letter.

    Empty: [] where none of them is followed by, or is, the first letter.
    """
    places = [start for start in starts if _is_marklike(text, start)]
    for end in _SENTENCE_ENDS:
        place = text.find(end)
        while place >= 0:
            begin = place + 2 if text[place + 1 : place + 2] == " " else place + 3
            if text[begin - 1 : begin] == " " and text[begin - 2] in _BEFORE_SPACE:
                begin += len(_AND) if text.startswith(_AND, begin) else 0
                if _is_marklike(text, begin):
                    places.append(begin)
            place = text.find(end, place + 1)
    places.sort()
    bracketed = [begin for begin in places if text[begin] in "(["]
    lettered = [begin for begin in places if text[begin] not in "(["]
    return (
        bracketed if any(text[begin + 1] in "Aa" for begin in bracketed) else [],
        lettered if any(text[begin] in "Aa" for begin in lettered) else [],
    )


def _is_marklike(text: str, begin: int) -> bool:
    following = text[begin : begin + 2]
    return len(following) == 2 and (following[0] in "([" or (following[0].isalpha() and not following[1].isalpha()))


def _marks(style: re.Pattern[str], text: str, candidates: list[int]) -> Iterator[_Mark]:
    for begin in candidates:
        if _is_single(text, begin):
            place = _LETTERS.index(text[begin + 1].lower())
            yield _Mark(begin, begin + 3, text[begin + 1], place, place)
            continue
        match = style.match(text, begin)
        mark = _mark(match[1].translate(_BRACKETS), begin, match.end()) if match else None
        if mark:
            yield mark


def _is_single(text: str, begin: int) -> bool:
    """Tell of most marks, without the cost of a pattern, that they are one letter in brackets: `(A) `."""
    return (
        text[begin] in "(["
        and text[begin + 2 : begin + 4] in (") ", "] ")
        and text[begin + 1] in _EITHER_CASE
        and text[begin + 4 : begin + 5] not in _GOING_ON
    )


def _is_whole(text: str, run: list[_Mark]) -> bool:
    """Tell whether the last part does not name the letter after it."""
    following = run[-1].last + 1
    if following >= len(_LETTERS):
        return True
    letter = _LETTERS[following].upper() if run[0].letters[0].isupper() else _LETTERS[following]
    end = run[-1].end
    if text.find(f"({letter}", end) < 0 and text.find(f"[{letter}", end) < 0:
        return True
    return re.search(rf"[(\[]{letter}[)\],–-]", text[end:]) is None


def _begins_part(text: str, begin: int, starts: frozenset[int]) -> bool:
    if begin in starts:
        return True
    if text.endswith(_AND, 0, begin):
        begin -= len(_AND)
    before = text[max(0, begin - 3) : begin]
    return before.endswith(" ") and (before[-2:-1] in _SENTENCE_ENDS or before[:1] in _SENTENCE_ENDS)


def _bold_marks(text: str, starts: list[int], printed_bold: list[str]) -> Iterator[_Mark]:
    """Find letters that are set in bold at the start of a sentence or block: the style without punctuation."""
    if not any(printed.lstrip("([")[:1] in _FIRST_LETTERS for printed in printed_bold):
        return
    block_starts = frozenset(starts)
    position = 0
    for printed in printed_bold:
        if len(printed) > MAX_MARK_CHARACTERS:
            continue
        match = _BOLD_GROUP.fullmatch(printed)
        if match is None:
            continue
        begin = _find_word(text, printed, position)
        if begin < 0:
            return
        position = begin + len(printed)
        mark = _mark(match[1], begin, position)
        if mark and _begins_part(text, begin, block_starts):
            yield mark


@compiled
def bold_and_lists(elements: list[etree._Element]) -> tuple[list[str], list[etree._Element]]:
    """Give what is set in bold in some elements, and the lists in them."""
    found = [each for element in elements for each in below(element, "bold", "list")]
    return [text_of(each) for each in found if each.tag == "bold"], [each for each in found if each.tag == "list"]


def _list_marks(text: str, list_: etree._Element) -> Iterator[_Mark]:
    """Find the items of a list that numbers its items by letters: by their labels, or where the text shows none."""
    list_type = list_.get("list-type") or ""
    letters = _LETTERS.upper() if "upper" in list_type else _LETTERS
    end = 0
    for place, item in enumerate(children_of(list_, "list-item")[: len(letters)]):
        printed = text_of(item)
        start = text.find(printed, end)
        label = next(item.iter("label"), None)
        if not printed or start < 0 or (label is None and not list_type.startswith("alpha")):
            return
        end = start + len(printed)
        if label is None:
            yield _Mark(start, start, letters[place], place, place)
            continue
        match = _BOLD_GROUP.fullmatch(text_of(label))
        mark = _mark(match[1], start, start + len(match[0])) if match else None
        if mark is None:
            return
        yield mark


def _find_word(text: str, word: str, position: int) -> int:
    place = text.find(word, position)
    while place >= 0:
        before, after = text[place - 1 : place], text[place + len(word) : place + len(word) + 1]
        if not before.isalnum() and not after.isalnum():
            return place
        place = text.find(word, place + 1)
    return -1


def _mark(printed: str, start: int, end: int) -> _Mark | None:
    if len(printed) == 1:
        place = _LETTERS.index(printed.lower())
        return _Mark(start, end, printed, place, place)
    places = [_LETTERS.index(letter.lower()) for letter in re.findall(r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])", printed)]
    if not places or places != sorted(places):
        return None
    return _Mark(start, end, printed, places[0], places[-1])


def _run(marks: Iterable[_Mark]) -> list[_Mark]:
    """Take the marks that continue the alphabet from its first letter, in one letter case; [] if too few do."""
    run: list[_Mark] = []
    following = 0
    for mark in marks:
        is_same_case = not run or mark.letters[0].isupper() == run[0].letters[0].isupper()
        if is_same_case and mark.first == following:
            run.append(mark)
            following = mark.last + 1
        elif is_same_case and mark.first > following and run:
            return []
    return run if len(run) >= MIN_PARTS else []


def _rows(text: str, run: list[_Mark]) -> list[dict]:
    rows = []
    for place, mark in enumerate(run):
        span_end = run[place + 1].start if place + 1 < len(run) else len(text)
        part = text[mark.start : span_end].rstrip()
        if part.endswith((", and", "; and", ". and")):
            part = part.removesuffix(" and")
        rows.append(
            {
                "panel_id": mark.letters,
                "panel_ids": _expanded(mark),
                "span_start": mark.start,
                "span_end": mark.start + len(part),
                "text": part,
            }
        )
    return rows


def _expanded(mark: _Mark) -> list[str]:
    if len(mark.letters) == 1:
        return [mark.letters]
    expanded: list[str] = []
    for first, last in _PIECE.findall(re.sub(r"\band\b", " ", mark.letters)):
        if len(first) == len(last) == 1:
            alphabet = _LETTERS.upper() if first.isupper() else _LETTERS
            expanded += alphabet[alphabet.index(first) : _LETTERS.index(last.lower()) + 1]
        else:
            expanded += filter(None, (first, last))
    return expanded
