"""Running text of the body, and the reference list's size and ids."""

from lxml import etree

from pmc_assets.jats.outline import Outline
from pmc_assets.jats.text import text_of

_OTHER_BLOCKS = ("disp-formula", "preformat", "code", "verse-line")


def read_body_paragraphs(outline: Outline, known: dict[etree._Element, str]) -> list[dict]:
    """Read the body's paragraphs in order with their section path; `known` holds texts that are read already.

    Shape: one row per outermost p, and per formula or code block that stands between paragraphs; a list inside a
        paragraph is part of it. Captions, tables and the bodies of sub-articles are left out.
    """
    rows = []
    for paragraph, place in _blocks(outline):
        if place.location == "body" and place.host is None and not place.is_aside:
            text = known.get(paragraph)
            if text is None:
                text = text_of(paragraph)
            if text:
                rows.append({"section_path": place.section_path(), "text": text})
    return rows


def _blocks(outline: Outline) -> list:
    found = outline.found
    others = [element for name in _OTHER_BLOCKS for element in found[name]]
    if not others:
        return outline.paragraphs
    places = dict(outline.paragraphs)
    for element in others:
        if element.getparent() is not None:
            places[element] = outline.place_of(element.getparent())
    return [(element, places[element]) for element in outline.elements if element in places]


def read_references(outline: Outline) -> dict:
    """Count the references of the article itself and list the ids that they state; sub-articles' are left out."""
    pmids: list[int] = []
    dois: list[str] = []
    article = outline.article
    references = outline.found["ref"]
    if outline.found["sub-article"] or outline.found["response"]:
        references = [ref for ref in references if outline.place_of(ref).owner_article is article]
    counted = set(references)
    for element in outline.found["pub-id"]:
        id_type = element.get("pub-id-type")
        if id_type != "pmid" and id_type != "doi":
            continue
        value = text_of(element)
        if not value or not _is_of_reference(element, counted):
            continue
        if id_type == "doi":
            dois.append(value)
        elif value.isdecimal() and len(value) < 19:
            pmids.append(int(value))
    return {"reference_count": len(references), "reference_pmids": pmids, "reference_dois": dois}


def _is_of_reference(element: etree._Element, references: set[etree._Element]) -> bool:
    parent = element.getparent()
    while parent is not None and parent.tag != "ref":
        parent = parent.getparent()
    return parent in references
