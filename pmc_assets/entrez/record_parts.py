"""The parts of one PubMed record: text, abstracts, MeSH, authors, ids, references. The row as a whole stays out."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from xml.sax.saxutils import unescape

from lxml import etree

Element = dict[str, Any]
_MARKUP = etree.XMLParser(recover=True, resolve_entities=False, no_network=True)
_ORCID = re.compile(r"(\d{4})-?(\d{4})-?(\d{4})-?(\d{3}[\dX])$")


def text(value: str | None) -> str | None:
    """Give an element's text in reading order, markup dropped, spaces collapsed.

    Empty: None for an absent element and for one without text.
    """
    if value is None:
        return None
    if "<" in value:
        marked_up = etree.fromstring(f"<text>{value}</text>", _MARKUP)
        etree.strip_elements(marked_up, "{*}annotation", with_tail=False)
        value = "".join(marked_up.itertext())
    else:
        value = unescape(value)
    return " ".join(value.split()) or None


def texts(values: Iterable[str]) -> list[str]:
    """Give the texts of several elements, those without text left out."""
    return [words for words in map(text, values) if words]


def abstract_sections(abstract: Element | None) -> list[dict]:
    """List the sections of an abstract; an abstract without sections is one section without label."""
    return [
        {
            "label": text(section.attributes.get("Label")),
            "nlm_category": section.attributes.get("NlmCategory"),
            "text": text(section),
        }
        for section in (abstract or {}).get("AbstractText") or []
    ]


def abstract_text(abstract: Element | None) -> str | None:
    """Give an abstract as one text: labels as `LABEL: `, sections separated by a line feed."""
    sections = [
        ": ".join(part for part in (section["label"], section["text"]) if part)
        for section in abstract_sections(abstract)
    ]
    return "\n".join(section for section in sections if section) or None


def other_abstracts(abstracts: Iterable[Any]) -> list[dict]:
    return [
        {
            "abstract_type": abstract.attributes.get("Type"),
            "language": abstract.attributes.get("Language"),
            "text": abstract_text(abstract),
        }
        for abstract in abstracts
    ]


def mesh_headings(headings: Iterable[Element]) -> list[dict]:
    """List the MeSH headings; one is major if its descriptor or any of its qualifiers is."""
    return [_mesh_heading(heading) for heading in headings]


def _mesh_heading(heading: Element) -> dict:
    descriptor, qualifiers = heading["DescriptorName"], heading.get("QualifierName") or []
    major = [qualifier for qualifier in qualifiers if _is_major(qualifier)]
    return {
        "descriptor": text(descriptor),
        "descriptor_ui": descriptor.attributes.get("UI"),
        "is_major": _is_major(descriptor) or bool(major),
        "qualifiers": texts(qualifiers),
        "major_qualifiers": texts(major),
    }


def _is_major(term: Any) -> bool:
    return term.attributes.get("MajorTopicYN") == "Y"


def authors(entries: Iterable[Element]) -> list[dict]:
    """List the authors; a name that PubMed marks as wrong (ValidYN="N") is left out for its correction."""
    return [
        {
            "surname": text(entry.get("LastName") or entry.get("CollectiveName")),
            "given_names": _given_names(entry),
            "orcid": orcid(entry.get("Identifier") or []),
            "affiliations": texts(place["Affiliation"] for place in entry.get("AffiliationInfo") or []),
        }
        for entry in entries
        if entry.attributes.get("ValidYN") != "N"  # type: ignore[attr-defined]
    ]


def _given_names(author: Element) -> str | None:
    names = text(author.get("ForeName") or author.get("Initials"))
    suffix = text(author.get("Suffix"))
    return ", ".join(part for part in (names, suffix) if part) or None


def orcid(identifiers: Iterable[Any]) -> str | None:
    """Find the ORCID iD among identifiers, written as URL, with or without hyphens."""
    for identifier in identifiers:
        digits = _ORCID.search(identifier.strip().upper().rstrip("/"))
        if identifier.attributes.get("Source", "").upper() == "ORCID" and digits:
            return "-".join(digits.groups())
    return None


def grants(entries: Iterable[Element]) -> list[dict]:
    return [{"source": text(entry.get("Agency")), "award_id": text(entry.get("GrantID"))} for entry in entries]


def issns(journal: Element, medline: Element) -> list[str]:
    """List the journal's ISSN and its linking ISSN, each once."""
    stated = (text(journal.get("ISSN")), text(medline.get("ISSNLinking")))
    return list(dict.fromkeys(issn for issn in stated if issn))


def pages(pagination: Element) -> str | None:
    printed = text(pagination.get("MedlinePgn"))
    limits = texts(pagination[name] for name in ("StartPage", "EndPage") if name in pagination)
    return printed or "-".join(limits) or None


def article_id(pubmed_data: Element, id_type: str) -> str | None:
    """Find an id of the article itself; those of its references are elsewhere."""
    ids = pubmed_data.get("ArticleIdList") or []
    return next((text(id_) for id_ in ids if id_.attributes.get("IdType") == id_type), None)


def electronic_doi(locations: Iterable[Any]) -> str | None:
    dois = (loc for loc in locations if loc.attributes.get("EIdType") == "doi" and loc.attributes.get("ValidYN") != "N")
    return next((text(doi) for doi in dois), None)


def references(lists: Iterable[Element]) -> tuple[list[str], int]:
    """Give every id of every reference as `type:id`, and the number of references, nested lists included."""
    found = list(_references(lists))
    ids = [id_ for reference in found for id_ in reference.get("ArticleIdList") or []]
    return [f"{id_.attributes.get('IdType', 'pubmed')}:{text(id_)}" for id_ in ids if text(id_)], len(found)


def _references(lists: Iterable[Element]) -> Iterator[Element]:
    for entries in lists:
        yield from entries.get("Reference") or []
        yield from _references(entries.get("ReferenceList") or [])


def comments_corrections(entries: Iterable[Any]) -> list[dict]:
    """List what the record is about or is corrected by: the PMID where given, else the citation."""
    return [
        {
            "relation": entry.attributes.get("RefType"),
            "id_type": "pmid" if "PMID" in entry else "citation",
            "id": text(entry.get("PMID") or entry.get("RefSource")),
        }
        for entry in entries
    ]
