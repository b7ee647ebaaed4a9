"""Mentions: every paragraph that points at a figure, once per figure, with the place of the pointer in its text."""

from lxml import etree

from pmc_assets.jats.outline import Outline
from pmc_assets.jats.pointers import Pointer, Pointers, read_and_locate
from pmc_assets.jats.ranges import FigureNumbers, figures_in_range, may_be_in_range


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
        text = texts[paragraph] = read_and_locate(paragraph, own)
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


def _spans(pointers: list[Pointer], text: str, numbers: FigureNumbers) -> dict[int, tuple[int, int, bool]]:
    """Give the span of the first pointer to each figure; figures inside a range get the span of the range."""
    spans: dict[int, tuple[int, int, bool]] = {}
    expanded: dict[int, tuple[int, int, bool]] = {}
    for place, pointer in enumerate(pointers):
        for target in pointer.targets:
            spans.setdefault(target, (pointer.start, pointer.end, False))
        following = pointers[place + 1] if place + 1 < len(pointers) else None
        if not may_be_in_range(pointer, following, text):
            continue
        inside, end = figures_in_range(pointer, following, text, numbers)
        for index in inside:
            expanded.setdefault(index, (pointer.start, end, True))
    return expanded | spans
