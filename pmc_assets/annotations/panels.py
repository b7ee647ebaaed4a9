"""Panels that one image shows: blank gutters found by a recursive XY-cut. What captions say of panels stays out."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops

VERSION = "cut2"
SIDE_PX = 224
"""Smallest side at which an image is given; gutters of 2 % are 4 px wide then."""

MIN_SIDE_PX = 128
"""A lower image is one panel: the gaps of a typeset line are as wide as gutters."""

WHITE_FROM = 222
BLACK_TO = 14
MIN_GUTTER_SHARE = 0.017
MIN_WEAK_GUTTER_SHARE = 0.025
MIN_PANEL_SHARE = 0.12
MIN_WEAK_BALANCE = 0.5
STRAIGHT_SHARE = 0.55
WORDS_SHARE = 0.4
"""A narrow column with less ink in each of its lines is words beside a picture: the labels of a blot's rows."""

MAX_DEPTH = 4
_EDGE_PX = 3


@dataclass(frozen=True, slots=True)
class Panels:
    """What the gutters say: `count` at least 1; `subtype` is one, row, column, grid or mixed."""

    count: int
    subtype: str


@dataclass(frozen=True, slots=True)
class _Block:
    top: int
    bottom: int
    left: int
    right: int

    def parts(self, axis: int, cuts: list[tuple[int, int]]) -> list["_Block"]:
        if axis == 0:
            return [_Block(self.top + start, self.top + end, self.left, self.right) for start, end in cuts]
        return [_Block(self.top, self.bottom, self.left + start, self.left + end) for start, end in cuts]


def find_panels(rgb: Image.Image) -> Panels:
    """Count the panels that blank gutters, white or black, separate.

    A gutter runs straight through; what it separates is large enough for a panel, no narrow column of words, and has
    straight edges (pictures) or sizes that are alike (plots): so the gaps inside one plot, blot, formula or flow chart
    are no gutters.
    """
    if min(rgb.size) < MIN_SIDE_PX:
        return Panels(1, "one")
    red, green, blue = rgb.split()
    darkest = np.asarray(ImageChops.darker(ImageChops.darker(red, green), blue))
    brightest = np.asarray(ImageChops.lighter(ImageChops.lighter(red, green), blue))
    found = [_layout(darkest < WHITE_FROM)]
    if min(brightest[0, 0], brightest[-1, -1]) <= BLACK_TO or found[0].count == 1:
        found.append(_layout(brightest > BLACK_TO, only_straight=True))
    return max(found, key=lambda panels: panels.count)


def _layout(ink: np.ndarray, *, only_straight: bool = False) -> Panels:
    cutter = _Cutter(ink, only_straight)
    blocks = cutter.cut(_Block(0, ink.shape[0], 0, ink.shape[1]))
    return Panels(len(blocks), _subtype(blocks))


class _Cutter:
    """Cuts one image's ink recursively."""

    def __init__(self, ink: np.ndarray, only_straight: bool) -> None:
        self.ink = ink
        self.only_straight = only_straight
        self.min_gutter_px = max(3, round(MIN_GUTTER_SHARE * min(ink.shape)))

    def cut(self, block: _Block, depth: int = 0) -> list[_Block]:
        """Give the panels of a block: itself if no gutter crosses it."""
        block = self._trimmed(block)
        if depth == MAX_DEPTH or block.bottom <= block.top:
            return [block]
        choices = [(axis, cuts) for axis in (0, 1) if len(cuts := self._cuts(block, axis)) > 1]
        if not choices:
            return [block]
        axis, cuts = max(choices, key=lambda choice: _widest_gap(choice[1]))
        return [leaf for part in block.parts(axis, cuts) for leaf in self.cut(part, depth + 1)]

    def _trimmed(self, block: _Block) -> _Block:
        ink = self.ink[block.top : block.bottom, block.left : block.right]
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        if not len(rows):
            return _Block(block.top, block.top, block.left, block.left)
        return _Block(
            block.top + rows[0], block.top + rows[-1] + 1, block.left + columns[0], block.left + columns[-1] + 1
        )

    def _cuts(self, block: _Block, axis: int) -> list[tuple[int, int]]:
        """Give the parts of a block between gutters across an axis, as (start, end) inside the block."""
        ink = self.ink[block.top : block.bottom, block.left : block.right]
        profile = ink.mean(axis=1 - axis)
        parts = _runs(profile > 0, self.min_gutter_px)
        parts = _merged_small(parts, MIN_PANEL_SHARE * self.ink.shape[axis])
        return self._accepted(parts, profile, axis)

    def _accepted(self, parts: list[tuple[int, int]], profile: np.ndarray, axis: int) -> list[tuple[int, int]]:
        """Keep the gutters with a straight edge at either side; weak ones if wide, between parts of like size."""
        accepted, weak_px = parts[:1], MIN_WEAK_GUTTER_SHARE * self.ink.shape[axis]
        for start, end in parts[1:]:
            before = accepted[-1]
            left = profile[max(before[0], before[1] - _EDGE_PX) : before[1]].max()
            right = profile[start : start + _EDGE_PX].max()
            is_straight = (min if self.only_straight else max)(left, right) >= STRAIGHT_SHARE
            small, large = sorted((before, (start, end)), key=lambda part: part[1] - part[0])
            is_balanced = small[1] - small[0] >= MIN_WEAK_BALANCE * (large[1] - large[0])
            is_words = axis == 1 and not is_balanced and profile[slice(*small)].max() < WORDS_SHARE
            is_wide = not self.only_straight and start - before[1] >= weak_px
            if (is_straight and not is_words) or (is_wide and is_balanced):
                accepted.append((start, end))
            else:
                accepted[-1] = (before[0], end)
        return accepted


def _runs(is_ink: np.ndarray, min_gap: int) -> list[tuple[int, int]]:
    """Give the runs of ink, those nearer than `min_gap` joined."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], is_ink.astype(np.int8), [0]))))
    runs: list[tuple[int, int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if runs and start - runs[-1][1] < min_gap:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _merged_small(parts: list[tuple[int, int]], min_px: float) -> list[tuple[int, int]]:
    """Join parts that are too small for a panel (titles, axis labels, legends) to their nearer neighbour."""
    parts = list(parts)
    while len(parts) > 1:
        sizes = [end - start for start, end in parts]
        small = int(np.argmin(sizes))
        if sizes[small] >= min_px:
            break
        before = parts[small][0] - parts[small - 1][1] if small else np.inf
        after = parts[small + 1][0] - parts[small][1] if small + 1 < len(parts) else np.inf
        first = small - 1 if before <= after else small
        parts[first : first + 2] = [(parts[first][0], parts[first + 1][1])]
    return parts


def _widest_gap(parts: list[tuple[int, int]]) -> int:
    return max(after[0] - before[1] for before, after in zip(parts, parts[1:], strict=False))


def _subtype(blocks: list[_Block]) -> str:
    """Name the layout by how panels share rows: their vertical middles inside one another's extent."""
    if len(blocks) == 1:
        return "one"
    rows: list[list[_Block]] = []
    for block in sorted(blocks, key=lambda b: (b.top + b.bottom) / 2):
        middle = (block.top + block.bottom) / 2
        if rows and any(b.top <= middle < b.bottom for b in rows[-1]):
            rows[-1].append(block)
        else:
            rows.append([block])
    widths = {len(row) for row in rows}
    if len(rows) == 1:
        return "row"
    if widths == {1}:
        return "column"
    return "grid" if len(widths) == 1 else "mixed"
