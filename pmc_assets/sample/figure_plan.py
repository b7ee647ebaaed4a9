"""What the figures of one article will be: kind, label, caption, pictures, files and how the article points at them."""

import string
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np

from pmc_assets.sample.captions import class_phrase, panel_caption, single_caption
from pmc_assets.sample.drawing.classes import FIGURE_CLASSES, FIGURE_SHARES, MIXED
from pmc_assets.sample.drawing.panels import LAYOUTS

MULTI_PANEL_SHARE = 0.3
MIXED_SHARE = 0.08
LETTERED_SHARE = 0.9
SHARED_PICTURES = 5
SIDES_PX = ((420, 320), (480, 360), (500, 500), (560, 400), (600, 450), (640, 480), (400, 520), (700, 460), (820, 600))
LARGE_PX = (1500, 1100)
PANEL_PX = (220.0, 330.0)
EXTENSIONS = {"jpeg": "jpg", "png": "png", "tiff": "tif", "gif": "gif"}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to draw: panels by class and layout, size in px, and the seed of its strokes."""

    classes: tuple[str, ...]
    rows: tuple[int, ...]
    letters: str
    width_px: int
    height_px: int
    seed_key: tuple[int, ...]
    quality: int = 82
    is_shared: bool = False

    @property
    def visual_class(self) -> str:
        return self.classes[0] if len(set(self.classes)) == 1 else MIXED


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One file of the package. `fault` says what is wrong with it: missing, placeholder, truncated, wrong_md5, bomb."""

    name: str
    format: str
    picture: Picture | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Graphic:
    """One graphic of a figure: the href as written and the files that it may mean, the image first."""

    href: str
    files: tuple[MediaFile, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One element that shows graphics. Title and paragraphs are XML text; `place` is the part of the article."""

    kind: str
    place: str
    figure_id: str
    label: str
    title: str
    paragraphs: tuple[str, ...]
    graphics: tuple[Graphic, ...]


def plan_figures(
    rng: np.random.Generator,
    seed: int,
    index: int,
    name_pattern: str,
    markup: frozenset[str],
    deposit: str,
    words: dict[str, str],
) -> list[Figure]:
    """Plan all figures of an article in document order: front, body, back, floats, sub-article."""
    planner = _Planner(rng, seed, index, name_pattern, markup, deposit, words)
    main = [planner.figure("floats" if "floats_group" in markup else "body") for _ in range(int(rng.integers(2, 5)))]
    front = [planner.figure("front")] if "graphical_abstract" in markup else []
    group = [planner.figure("fig_group") for _ in range(2)] if "fig_group" in markup else []
    inner = [planner.other(kind) for kind, trait in _OTHER_KINDS if trait in markup]
    named = [planner.figure(place) for place, trait in _PLACES if trait in markup]
    figures = main + front + group + inner + named
    return sorted(figures, key=lambda figure: _DOCUMENT_ORDER.index((figure.kind == "figure", figure.place)))


_PLACES = (("boxed", "boxed_text"), ("appendix", "appendix"), ("sub_article", "sub_article"))
_DOCUMENT_ORDER = (
    (True, "front"),
    (True, "body"),
    (False, "body"),
    (True, "fig_group"),
    (True, "boxed"),
    (True, "appendix"),
    (True, "floats"),
    (True, "sub_article"),
)
_OTHER_KINDS = (("table", "table_graphic"), ("formula", "formula"), ("supplementary", "supplementary"))


@dataclass(slots=True)
class _Planner:
    """Counts an article's figures and files while they are planned."""

    rng: np.random.Generator
    seed: int
    index: int
    name_pattern: str
    markup: frozenset[str]
    deposit: str
    words: dict[str, str]
    figures: int = 0
    files: int = 0

    def figure(self, place: str) -> Figure:
        self.figures += 1
        number = self.figures
        picture = self._picture()
        title, paragraphs = self._caption(picture)
        label = f"Figure {number}" if self.rng.random() < 0.7 else f"Fig. {number}"
        figure_id = f"F{number}"
        if "bare_figures" in self.markup:
            figure_id = "" if number % 2 else figure_id
            label = "" if number % 3 == 1 else label
            title, paragraphs = ("", []) if number % 2 == 0 else (title, paragraphs)
        graphics = [self._graphic(picture)]
        if "several_graphics" in self.markup and number == 1:
            graphics.append(self._graphic(self._picture()))
        return Figure("figure", place, figure_id, label, title, tuple(paragraphs), tuple(graphics))

    def other(self, kind: str) -> Figure:
        if kind == "supplementary":
            name = self._name("mp4" if self.rng.random() < 0.5 else "xlsx")
            files = (MediaFile(name, "binary", None),)
            return Figure(kind, "body", "S1", "Additional file 1", "Data set.", (), (Graphic(name, files),))
        width, height = (640, 420) if kind == "table" else (420, 140)
        picture = Picture((kind,), (1,), "", width, height, (self.seed, self.index, 900 + self.files))
        phrase = class_phrase(self.rng, kind, self.words) + "." if kind == "table" else ""
        label = "Table 1" if kind == "table" else "(1)"
        return Figure(kind, "body", "T1" if kind == "table" else "E1", label, phrase, (), (self._graphic(picture),))

    def _picture(self) -> Picture:
        rng, shared = self.rng, self.index // 40 % SHARED_PICTURES
        exact, near = "exact_duplicate" in self.markup, "near_duplicate" in self.markup
        if (exact or near) and self.figures == 1:
            name = FIGURE_CLASSES[(3 * shared + self.seed) % len(FIGURE_CLASSES)]
            quality = 82 if exact else int(rng.integers(55, 80))
            return Picture((name,), (1,), "", 600, 450, (self.seed, 2**31, shared), quality, is_shared=True)
        width, height = SIDES_PX[rng.integers(len(SIDES_PX))] if rng.random() > 0.015 else LARGE_PX
        classes, rows = self._panels()
        if len(classes) > 1:
            panel_px = rng.uniform(*PANEL_PX)
            width, height = int(max(rows) * panel_px * 1.2), int(len(rows) * panel_px)
        letters = string.ascii_uppercase if rng.random() < 0.7 else string.ascii_lowercase
        lettered = len(classes) > 1 and rng.random() < LETTERED_SHARE
        seed_key = (self.seed, self.index, 1 + self.files)
        return Picture(classes, rows, letters[: len(classes)] if lettered else "", width, height, seed_key)

    def _panels(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        rng = self.rng
        main = str(rng.choice(FIGURE_CLASSES, p=FIGURE_SHARES))
        if rng.random() > MULTI_PANEL_SHARE:
            return (main,), (1,)
        count = int(rng.choice([2, 3, 4, 5, 6], p=[0.32, 0.18, 0.3, 0.06, 0.14]))
        rows = LAYOUTS[count][rng.integers(len(LAYOUTS[count]))]
        if rng.random() > MIXED_SHARE:
            return (main,) * count, rows
        return tuple(str(name) for name in rng.choice(FIGURE_CLASSES, count, p=FIGURE_SHARES)), rows

    def _caption(self, picture: Picture) -> tuple[str, list[str]]:
        if picture.letters:
            return panel_caption(self.rng, picture.classes, picture.letters, self.words)
        return single_caption(self.rng, picture.classes[0], self.words)

    def _graphic(self, picture: Picture) -> Graphic:
        if self.deposit == "video_graphic" and self.files == 0:
            name = self._name("mp4")
            return Graphic(name, (MediaFile(name, "binary", None),))
        format_ = self._format(picture)
        name = self._name(EXTENSIONS[format_])
        files = [MediaFile(name, format_, picture, self._fault())]
        if "gif_twin" in self.markup:
            files.append(MediaFile(name.rsplit(".", 1)[0] + ".gif", "gif", picture))
        return Graphic(self._href(name), tuple(files))

    def _format(self, picture: Picture) -> str:
        if picture.is_shared:
            return "jpeg"
        if "tiff_image" in self.markup and self.files == 0:
            return "tiff"
        line_art = picture.visual_class in ("line_plot", "bar_plot", "chemical_structure", "flow_diagram", "formula")
        return "png" if line_art and self.rng.random() < 0.5 else "jpeg"

    def _name(self, extension: str) -> str:
        self.files += 1
        stem = self.name_pattern.format(number=100_000 + self.index, index=self.files)
        if "percent_name" in self.markup and self.files == 1:
            stem = f"Fig {self.files} (α & β)"
        return f"{stem}.{extension}"

    def _fault(self) -> str:
        faults = {
            "placeholder_image": "placeholder",
            "missing_media": "missing",
            "wrong_md5": "wrong_md5",
            "truncated_image": "truncated",
            "image_bomb": "bomb",
        }
        return faults.get(self.deposit, "") if self.files == 1 else ""

    def _href(self, name: str) -> str:
        if self.deposit == "unresolved_graphic" and self.files == 1:
            return "not-in-this-package.jpg"
        if "no_extension" in self.markup:
            return name.rsplit(".", 1)[0]
        if "other_case" in self.markup:
            stem, extension = name.rsplit(".", 1)
            return f"{stem}.{extension.upper()}"
        if "percent_name" in self.markup and self.files == 1:
            return quote(name)
        return name
