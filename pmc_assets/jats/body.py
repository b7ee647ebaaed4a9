"""Running text of the body, and the reference list's size and ids."""

import re
from urllib.parse import unquote

from lxml import etree

from pmc_assets.jats.compiled import compiled
from pmc_assets.jats.names import XLINK_HREF
from pmc_assets.jats.outline import Outline, Place, PubId
from pmc_assets.jats.text import paragraph_text_of, text_of
from pmc_assets.jats.tree import below, children_of, count_children

_DOI_ADDRESS = re.compile(r"(?:https?://)?(?:dx\.)?doi\.org/(10\..+)", re.I)
_OTHER_BLOCKS = ("disp-formula", "preformat", "code", "verse-line")


def read_body_paragraphs(outline: Outline, known: dict[etree._Element, str]) -> list[dict]:
    """Read the body's paragraphs in order with their section path; `known` holds texts that are read already.

    Shape: one row per outermost p, and per formula or code block that stands between paragraphs; a list inside a
        paragraph is part of it. Captions, tables and the bodies of sub-articles are left out.
    """
    return running_texts(_blocks(outline), known)


@compiled
def running_texts(blocks: list[tuple[etree._Element, Place]], known: dict[etree._Element, str]) -> list[dict]:
    """Give a row for each block with text that is running text of the body."""
    rows = []
    for paragraph, place in blocks:
        if place.location == "body" and place.host is None and not place.is_aside:
            text = known.get(paragraph)
            if text is None:
                text = paragraph_text_of(paragraph)
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
        places[element] = outline.standing_of(element)
    return [(element, places[element]) for element in outline.elements if element in places]


def read_references(outline: Outline) -> dict:
    """Count the references of the article itself and list the ids that they state; sub-articles' are left out.

    Source: ref-list/ref, pub-id of the types pmid and doi wherever it stands in a reference; the link to doi.org of a
        reference without such a pub-id.
    """
    found = outline.found
    is_alone = not (found["sub-article"] or found["response"])
    lists = dict.fromkeys(
        each for each in found["ref-list"] if is_alone or outline.place_of(each).owner_article is outline.article
    )
    pmids, dois = cited_ids(outline.pub_ids, lists, is_alone)
    count = sum([count_children(each, "ref") for each in lists])
    links = (link for each in lists for link in below(each, "ext-link", "uri"))
    if outline.is_linked and len(dois) < count and any(_linked_doi(link) for link in links):
        dois = [doi for each in lists for reference in children_of(each, "ref") for doi in _dois_of(reference)]
    return {"reference_count": count, "reference_pmids": pmids, "reference_dois": list(filter(None, dois))}


@compiled
def cited_ids(pub_ids: list[PubId], lists: dict[etree._Element, None], is_alone: bool) -> tuple[list[int], list[str]]:
    """Give the PMIDs and the DOIs that stand in the lists or, where the article has no other in it, in a citation."""
    pmids: list[int] = []
    dois: list[str] = []
    for is_pmid, stated, ref_list, is_cited in pub_ids:
        if ref_list in lists or (is_alone and is_cited):
            text = stated if isinstance(stated, str) else text_of(stated)
            if not is_pmid:
                dois.append(text)
            elif (digits := text.rstrip(".")).isdecimal() and len(digits) < 19 and (pmid := int(digits)):
                pmids.append(pmid)
    return pmids, dois


def _dois_of(reference: etree._Element) -> list[str]:
    stated = [text_of(each) for each in below(reference, "pub-id") if each.get("pub-id-type") == "doi"]
    links = () if stated else below(reference, "ext-link", "uri")
    return stated or [doi for link in links if (doi := _linked_doi(link))][:1]


def _linked_doi(link: etree._Element) -> str | None:
    address = (link.get(XLINK_HREF) or "").strip()
    if "10." not in address:
        return None
    match = _DOI_ADDRESS.fullmatch(address)
    if match:
        return unquote(match[1])
    is_doi = link.get("ext-link-type") == "doi" and address.startswith("10.")
    return address if is_doi else None
