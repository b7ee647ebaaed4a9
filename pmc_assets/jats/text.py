"""Plain text of an element in reading order: spaces only where the article has them, NFC, no markup."""

from collections.abc import Callable
from unicodedata import normalize

from lxml import etree

from pmc_assets.jats.compiled import compiled

SHORT_TEXT_CHARACTERS = 100
_USUAL_SPACES = "\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}"
POINTER_START = "\ufdd0"
POINTER_END = "\ufdd1"
_normalized_text: Callable[[etree._Element], str] = etree.XPath("normalize-space()", smart_strings=False)


@compiled
def text_of(element: etree._Element) -> str:
    """Read all text below an element (settled by `settle_text`): white space collapsed, NFC.

    Empty: "" for an element without text.
    """
    if len(element):
        text = _normalized_text(element)
    else:
        text = element.text or ""
        if text.isalnum() and text.isascii():
            return text
        text = " ".join(text.split()) if len(text) < SHORT_TEXT_CHARACTERS else _normalized_text(element)
    return text if text.isascii() else _tidy(text)


@compiled
def paragraph_text_of(paragraph: etree._Element) -> str:
    """Read as `text_of`, without its short way for elements that hold a word or two."""
    text = _normalized_text(paragraph)
    return text if text.isascii() else _tidy(text)


def marked_text_of(element: etree._Element) -> str:
    """Read as `text_of`, with the marks of pointers and their surrounding spaces left in."""
    return _normalized_text(element)


@compiled
def text_or_none(element: etree._Element | None) -> str | None:
    """Give the text of an element, None where there is no element or no text."""
    if element is None:
        return None
    return text_of(element) or None


def tidy(text: str) -> str:
    """Collapse white space of every kind, no-break and thin spaces included, to one space; compose to NFC."""
    if "  " in text or "\n" in text or "\r" in text or "\t" in text or text[:1] == " " or text[-1:] == " ":
        text = " ".join(text.split())
    return text if text.isascii() else _tidy(text)


def _tidy(text: str) -> str:
    if not text.isprintable():
        for space in _USUAL_SPACES:
            text = text.replace(space, " ")
        if "  " in text or not text.isprintable():
            text = " ".join(text.split())
    return normalize("NFC", text).strip(" ")
