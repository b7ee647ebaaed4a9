"""Rows of `core.figures`, without the article's key: one per fig and per other element that shows a graphic."""

from lxml import etree

from pmc_assets.jats.captions import Caption, block_texts, read_captions
from pmc_assets.jats.graphics import Showing
from pmc_assets.jats.names import XML_LANG
from pmc_assets.jats.outline import Outline
from pmc_assets.jats.subcaptions import read_subcaptions
from pmc_assets.jats.text import text_of, text_or_none
from pmc_assets.jats.tree import below, children_by_name, children_of

_COPYRIGHT = ("copyright-year", "copyright-holder")
MAX_LANGUAGES = 12


def read_figures(
    outline: Outline, showings: list[Showing], descriptions: dict[str, dict[etree._Element, str]]
) -> tuple[list[dict], list[dict]]:
    """Read the figures of one settled article as (rows of core.figures, rows of core.subcaptions)."""
    reader = FigureReader(outline, descriptions)
    figures, subcaptions = [], []
    for figure_index, showing in enumerate(showings):
        figure, parts = reader.read(showing, figure_index)
        figures.append(figure)
        subcaptions += parts
    return figures, subcaptions


class FigureReader:
    """Reads the figures of one settled article; `descriptions` are its alt-texts and long-descs by parent."""

    def __init__(self, outline: Outline, descriptions: dict[str, dict[etree._Element, str]]):
        self._outline = outline
        self._has_groups = bool(outline.found["fig-group"])
        self._alt_texts = descriptions["alt-text"]
        self._long_descs = descriptions["long-desc"]
        self._groups: dict[etree._Element, tuple[str | None, str | None]] = {}
        self._versions: dict[etree._Element, dict[str | None, etree._Element]] = {}

    def read(self, showing: Showing, figure_index: int) -> tuple[dict, list[dict]]:
        """Read one figure as (row of core.figures, rows of core.subcaptions)."""
        element = showing.element
        place = self._outline.standing_of(element)
        children = children_by_name(element)
        captions = children.get("caption", [])
        language = element.get(XML_LANG) or place.language
        caption, translations = read_captions(captions, language) if captions else (Caption(), [])
        group = _group_of(element) if self._has_groups else None
        group_label, group_caption = self._read_group(group) if group is not None else (None, None)
        row = {
            "figure_index": figure_index,
            "kind": showing.kind,
            "figure_id": element.get("id"),
            "figure_label": _label(children),
            "caption": caption.text,
            "caption_title": caption.title,
            "language": caption.language or language,
            "translated_captions": self._translated(showing, translations, group, language),
            "group_id": group.get("id") if group is not None else None,
            "group_label": group_label,
            "group_caption": group_caption,
            "section_path": place.section_path(),
            "location": place.location,
            "attribution": _attribution(showing, children),
            "permissions": _permissions(showing, children),
            "alt_text": _first(self._alt_texts, showing) if self._alt_texts else None,
            "long_desc": _first(self._long_descs, showing) if self._long_descs else None,
            "graphics": showing.graphics,
        }
        parts = read_subcaptions(caption, captions) if caption.text else []
        for part in parts:
            part["figure_index"] = figure_index
        return row, parts

    def _read_group(self, group: etree._Element) -> tuple[str | None, str | None]:
        if group not in self._groups:
            children = children_by_name(group)
            caption, _ = read_captions(children.get("caption", []), self._outline.place_of(group).language)
            self._groups[group] = _label(children), caption.text or None
        return self._groups[group]

    def _translated(
        self, showing: Showing, translations: list[Caption], group: etree._Element | None, language: str | None
    ) -> list[dict]:
        rows = [{"language": each.language, "text": each.text} for each in translations] if translations else []
        return rows if group is None else rows + self._captions_beside(showing, group, language)

    def _captions_beside(self, showing: Showing, group: etree._Element, language: str | None) -> list[dict]:
        """Read the captions of the same group's figures in other languages that share this figure's graphic."""
        own = showing.element
        if own.get(XML_LANG) is None:
            return []
        if group not in self._versions:
            self._versions[group] = _language_versions(group)
        others = {other: each for other, each in self._versions[group].items() if other != language}
        texts = [(other, " ".join(_caption_texts(each))) for other, each in others.items()]
        return [{"language": other, "text": text} for other, text in texts if text]


def _language_versions(group: etree._Element) -> dict[str | None, etree._Element]:
    """Give the figures of a group by language; {} unless each has its own and none has a graphic of its own."""
    figures = group.findall("fig")
    versions = {figure.get(XML_LANG): figure for figure in figures}
    is_one_figure = len(versions) == len(figures) <= MAX_LANGUAGES and None not in versions
    return versions if is_one_figure and all(each.find(".//graphic") is None for each in figures) else {}


def _caption_texts(figure: etree._Element) -> list[str]:
    return [text for caption in figure.findall("caption") for text in block_texts(caption)]


def _group_of(element: etree._Element) -> etree._Element | None:
    parent = element.getparent()
    while parent is not None and parent.tag == "alternatives":
        parent = parent.getparent()
    return parent if parent is not None and parent.tag == "fig-group" else None


def _label(children: dict[str, list[etree._Element]]) -> str | None:
    return " ".join(filter(None, map(text_of, children.get("label", ())))) or None


def _first(texts: dict[etree._Element, str], showing: Showing) -> str | None:
    holders = (showing.element, *showing.elements)
    return next((text for holder in holders if (text := texts.get(holder))), None)


def _stated(showing: Showing, children: dict[str, list[etree._Element]], name: str) -> list[etree._Element]:
    """List what a figure, and then its graphics, state under a name."""
    stated = children.get(name, [])
    for graphic in showing.elements:
        if len(graphic) and graphic is not showing.element:
            stated = stated + children_of(graphic, name)
    return stated


def _attribution(showing: Showing, children: dict[str, list[etree._Element]]) -> str | None:
    return " ".join(filter(None, map(text_of, _stated(showing, children, "attrib")))) or None


def _permissions(showing: Showing, children: dict[str, list[etree._Element]]) -> str | None:
    permissions = _stated(showing, children, "permissions")
    if not permissions and "copyright-statement" not in children:
        return None
    statements = list(filter(None, map(text_of, children.get("copyright-statement", ()))))
    for each in permissions:
        stated = [text_or_none(statement) for statement in below(each, "copyright-statement", "license-p")]
        holders = [text_or_none(part) for part in below(each, *_COPYRIGHT)]
        statements += filter(None, stated if any(stated) else holders or [text_or_none(each)])
    return " ".join(statements) or None
