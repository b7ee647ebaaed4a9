"""Abstracts: the main one, those of a stated type (graphical, plain language), and those in other languages."""

from lxml import etree

from pmc_assets.jats.captions import MAX_BLOCK_DEPTH, block_texts
from pmc_assets.jats.names import XML_LANG, primary_language
from pmc_assets.jats.text import text_of


def read_abstracts(meta: dict[str, list[etree._Element]], language: str | None) -> dict:
    """Read the abstracts of article-meta, given its children by name and the article's language.

    Shape: `abstract` is the first one without a type, in the article's language where it says one.
    Empty: None for the main abstract, [] for the others.
    """
    main, typed, translated = None, [], []
    for element in meta.get("abstract", ()):
        text = abstract_text(element)
        is_own_language = primary_language(element.get(XML_LANG)) in (None, primary_language(language))
        if element.get("abstract-type"):
            typed.append(_row(element, text))
        elif main is None and (is_own_language or len(meta["abstract"]) == 1):
            main = text or None
        elif not is_own_language:
            translated.append(_row(element, text))
        else:
            typed.append(_row(element, text))
    translated += [_row(element, abstract_text(element)) for element in meta.get("trans-abstract", ())]
    return {"abstract": main, "other_abstracts": typed, "translated_abstracts": translated}


def _row(element: etree._Element, text: str) -> dict:
    return {"abstract_type": element.get("abstract-type"), "language": element.get(XML_LANG), "text": text}


def abstract_text(abstract: etree._Element) -> str:
    """Read an abstract: one line per block, a section's title before its first block; the heading is left out."""
    lines: list[str] = []
    for child in abstract:
        if child.tag not in ("title", "label", "object-id"):
            lines += _lines(child, 0)
    if not lines:
        lines = [text_of(abstract)]
    return "\n".join(lines)


def _lines(block: etree._Element, depth: int) -> list[str]:
    if block.tag != "sec" or depth > MAX_BLOCK_DEPTH:
        return block_texts(block)
    title = label = ""
    lines: list[str] = []
    for child in block:
        if child.tag == "title":
            title = text_of(child)
        elif child.tag == "label":
            label = text_of(child)
        else:
            lines += _lines(child, depth + 1)
    title = title or label
    if not title:
        return lines
    head = title if title.endswith((":", ".", "?", "!")) else f"{title}:"
    return [f"{head} {lines[0]}", *lines[1:]] if lines else [head]
