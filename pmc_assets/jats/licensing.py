"""The licence that the article itself states: its URL, its text, and the code that they mean."""

import re

from lxml import etree

from pmc_assets.jats.names import LICENSE_REF, XLINK_HREF
from pmc_assets.jats.text import text_of, text_or_none
from pmc_assets.jats.tree import below, child_of, children_of

_CC_URL = re.compile(
    r"creativecommons\.org/(?:licen[sc]es/(by(?:-nc)?(?:-nd|-sa)?)(?![a-z-])|publicdomain/(zero|mark))", re.I
)
_CC_ADDRESS = re.compile(r"https?://(?:www\.)?creativecommons\.org/[^\s)\]>,;]*[^\s)\]>,;.]")
_GAP = r"[\s\u00ad‐‑‒–—―−-]"
_RESTRICTIONS = (
    rf"(?>((?:(?:{_GAP}|[,/_()]|\d\.\d)*(?:(?:NC|ND|SA)(?![a-z])|Non{_GAP}*Commercial"
    rf"|Non?{_GAP}*Deriv(?:ative)?s?(?:\s?Works)?|Share{_GAP}*Alike))*))"
)
"""All that follow one another, whatever parts them: a licence is never read as more open than it is."""
_CC_WORDS = re.compile(
    rf"\b(?-i:CC{_GAP}?(?:BY(?![A-Za-z0-9])|(0)(?![A-Za-z0-9]))){_RESTRICTIONS}(?![‐‑–−-][a-z])", re.I
)
_CC_NAME = re.compile(rf"Creative Commons[,:]?\s+(?:\(?CC\)?\s+)?Attribution{_RESTRICTIONS}", re.I)
_CC_DEDICATION = re.compile(r"Creative Commons Public Domain De(?:claration|dication)", re.I)


def read_license(permissions: etree._Element) -> dict[str, str | None]:
    """Read license and copyright elements below a permissions element, or below article-meta of old articles.

    Source: license/@xlink:href, ali:license_ref, ext-link and text of license-p; copyright-statement.
    Empty: None for what is not stated; `xml_license_code` also where statements contradict each other. A CC0 waiver
        beside a licence is no contradiction: publishers add it for the data.
    """
    licenses = children_of(permissions, "license")
    urls = [url for each in licenses for url in _urls(each)]
    urls += [url for reference in children_of(permissions, LICENSE_REF) if (url := text_of(reference))]
    text = "\n".join(filter(None, (_license_text(each) for each in licenses))) or None
    urls = urls or _CC_ADDRESS.findall(text or "")
    return {
        "license_url": next((url for url in urls if _CC_URL.search(url)), urls[0] if urls else None),
        "license_text": text,
        "xml_license_code": _code(urls, text or "", [each.get("license-type") or "" for each in licenses]),
        "copyright_statement": text_or_none(child_of(permissions, "copyright-statement")),
    }


def _urls(license_: etree._Element) -> list[str]:
    stated = [license_.get(XLINK_HREF), *(text_of(reference) for reference in below(license_, LICENSE_REF))]
    links = [link.get(XLINK_HREF) for link in below(license_, "ext-link", "uri")]
    stated += [link for link in links if link and "creativecommons.org" in link]
    return [url.strip() for url in stated if url and url.strip()]


def _license_text(license_: etree._Element) -> str:
    paragraphs = [text_of(child) for child in license_ if child.tag in ("license-p", "p")]
    if paragraphs:
        return "\n".join(filter(None, paragraphs))
    return text_of(license_) if child_of(license_, LICENSE_REF) is None else ""


def _code(urls: list[str], text: str, types: list[str]) -> str | None:
    """Take the code from the URLs, else from the words of the licence; None where they name none or several."""
    codes = _codes_of_urls(" ".join(urls)) or _codes_of_urls(text) or _codes_of_words(text) or _codes_of_types(types)
    if len(codes) > 1:
        codes.discard("CC0")
    return codes.pop() if len(codes) == 1 else None


def _codes_of_urls(urls: str) -> set[str]:
    return {_spelled(match[1]) if match[1] else "CC0" for match in _CC_URL.finditer(urls) if match[2] != "mark"}


def _codes_of_words(text: str) -> set[str]:
    codes = {"CC0" if match[1] else _restricted(match[2]) for match in _CC_WORDS.finditer(text)}
    codes |= {_restricted(match[1]) for match in _CC_NAME.finditer(text)}
    return codes or ({"CC0"} if _CC_DEDICATION.search(text) else set())


def _codes_of_types(types: list[str]) -> set[str]:
    matches = (re.fullmatch(r"cc-?(by(?:-nc)?(?:-nd|-sa)?|0|zero)", each.strip().lower()) for each in types)
    return {"CC0" if match[1] in ("0", "zero") else _spelled(match[1]) for match in matches if match}


def _restricted(words: str) -> str:
    words = re.sub(_GAP, "", words.lower())
    found = {"-NC": "nc", "-ND": "nd|noderiv", "-SA": "sa|sharealike"}
    return "CC BY" + "".join(suffix for suffix, pattern in found.items() if re.search(pattern, words))


def _spelled(code: str) -> str:
    return "CC " + code.upper()
