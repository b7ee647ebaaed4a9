"""What an article says of itself before its body: ids, titles, journal, dates, subjects, keywords, licence."""

from lxml import etree

from pmc_assets.jats.abstracts import read_abstracts
from pmc_assets.jats.dates import iso_date, publication_kinds
from pmc_assets.jats.licensing import read_license
from pmc_assets.jats.names import XLINK_HREF, XML_LANG
from pmc_assets.jats.people import read_authors, read_funding, read_funding_statement
from pmc_assets.jats.text import text_of, text_or_none
from pmc_assets.jats.tree import below, child_of, children_by_name, children_of

Children = dict[str, list[etree._Element]]
_FIRST_PUBLISHED = {"original-publication", "publication-year"}


def read_front(article: etree._Element) -> dict:
    """Read the columns of `core.articles` that the article's front states.

    Source: front/journal-meta and front/article-meta.
    Empty: None or [] for what the front does not state.
    """
    fronts = children_of(article, "front")
    journal = children_by_name(_first_in(fronts, "journal-meta"))
    meta_element = _first_in(fronts, "article-meta")
    if meta_element is None:
        meta_element = etree.Element("article-meta")
    meta = children_by_name(meta_element)
    ids = _article_ids(meta)
    article_ids = {id_type: values[0] for id_type, values in ids.items()}
    columns = {
        "article_ids": [(id_type, " ".join(values)) for id_type, values in ids.items()],
        "xml_pmid": _pmid(article_ids.get("pmid")),
        "xml_pmcid": _pmcid(article_ids),
        "xml_doi": article_ids.get("doi"),
        "article_type": article.get("article-type"),
        "language": article.get(XML_LANG),
        "volume": _first_text(meta, "volume"),
        "issue": _first_text(meta, "issue"),
        "first_page": _first_text(meta, "fpage") or _first_text(meta, "elocation-id"),
        "last_page": _first_text(meta, "lpage"),
        "subjects": [
            text for each in meta.get("article-categories", ()) for s in below(each, "subject") if (text := text_of(s))
        ],
        "authors": read_authors(meta_element),
        "funding": read_funding(meta_element),
        "funding_statement": read_funding_statement(meta_element),
        "related_articles": [_related(each) for each in meta.get("related-article", ())],
    }
    return (
        columns
        | _journal(journal)
        | _titles(meta)
        | _dates(meta)
        | _keywords(meta)
        | read_license(next(iter(meta.get("permissions", ())), meta_element))
        | read_abstracts(meta, article.get(XML_LANG))
    )


def _first_in(parents: list[etree._Element], tag: str) -> etree._Element | None:
    return next((child for parent in parents for child in children_of(parent, tag)), None)


def _first_text(children: Children, name: str) -> str | None:
    elements = children.get(name)
    return text_or_none(elements[0]) if elements else None


def _article_ids(meta: Children) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for element in meta.get("article-id", ()):
        value = text_of(element)
        if value:
            ids.setdefault(element.get("pub-id-type") or "", []).append(value)
    return ids


def _pmid(text: str | None) -> int | None:
    """Read a PMID; None for nothing, 0 and other words."""
    return int(text) or None if text and text.isdecimal() and len(text) < 19 else None


def _pmcid(ids: dict[str, str]) -> str | None:
    """Give the PMCID with prefix, from the new ids or the old (`pmc` without prefix), without the version."""
    for name in ("pmcid", "pmc", "pmcid-ver", "pmcaid"):
        digits = ids.get(name, "").upper().removeprefix("PMC").split(".")[0].strip()
        if digits.isdecimal():
            return f"PMC{digits}"
    return None


def _journal(journal: Children) -> dict:
    ids = {each.get("journal-id-type"): text_of(each) for each in journal.get("journal-id", ())}
    groups = children_by_name(next(iter(journal.get("journal-title-group", ())), None))
    publishers = journal.get("publisher", ())
    return {
        "journal_title": _first_text(groups, "journal-title") or _first_text(journal, "journal-title"),
        "nlm_ta": ids.get("nlm-ta") or None,
        "issns": list(dict.fromkeys(text for each in journal.get("issn", ()) if (text := text_of(each)))),
        "publisher": text_or_none(child_of(publishers[0], "publisher-name")) if publishers else None,
    }


def _titles(meta: Children) -> dict:
    titles: Children = {}
    for group in meta.get("title-group", ()):
        for name, children in children_by_name(group).items():
            titles.setdefault(name, []).extend(children)
    translated = [child_of(each, "trans-title") for each in titles.get("trans-title-group", ())]
    translated += titles.get("trans-title", [])
    return {
        "title": _first_text(titles, "article-title"),
        "subtitle": _first_text(titles, "subtitle"),
        "translated_titles": [text for each in translated if each is not None and (text := text_of(each))],
    }


def _dates(meta: Children) -> dict:
    dates: dict[str, str | None] = dict.fromkeys(("ppub", "epub", "collection", "received", "accepted"))
    years, other_years = [], []
    for element in meta.get("pub-date", ()):
        kinds = publication_kinds(element)
        stated = iso_date(element)
        for kind in kinds:
            dates[kind] = dates[kind] or stated
        if stated and (kinds or not (element.get("pub-type") or element.get("date-type"))):
            years.append(int(stated[:4]))
        elif stated and _FIRST_PUBLISHED & {element.get("pub-type"), element.get("date-type")}:
            other_years.append(int(stated[:4]))
    for history in (*meta.get("history", ()), *meta.get("pub-history", ())):
        for element in below(history, "date"):
            event = element.get("date-type")
            if event in ("received", "accepted"):
                dates[event] = dates[event] or iso_date(element)
    return {f"{kind}_date": stated for kind, stated in dates.items()} | {
        "year": min(years or other_years, default=None)
    }


def _keywords(meta: Children) -> dict:
    groups, keywords = [], []
    for group in meta.get("kwd-group", ()):
        own = [text for each in below(group, "kwd", "compound-kwd") if (text := _keyword(each))]
        groups.append({"group_type": group.get("kwd-group-type"), "language": group.get(XML_LANG), "keywords": own})
        keywords += own
    return {"keyword_groups": groups, "keywords": keywords}


def _keyword(element: etree._Element) -> str:
    if element.tag == "kwd":
        return text_of(element)
    return ": ".join(filter(None, map(text_of, children_of(element, "compound-kwd-part"))))


def _related(element: etree._Element) -> dict:
    return {
        "relation": element.get("related-article-type"),
        "id_type": element.get("ext-link-type"),
        "id": element.get(XLINK_HREF) or text_or_none(child_of(element, "pub-id")) or text_or_none(element),
    }
