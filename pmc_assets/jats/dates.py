"""Dates of an article, and which of them say when it was published."""

import re

from lxml import etree

from pmc_assets.jats.tree import words_of
from pmc_assets.partial_dates import partial_date

_PARTS = ("year", "month", "day")
_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def iso_date(element: etree._Element) -> str | None:
    """Read year, month and day of a pub-date or date, else its iso-8601-date.

    Shape: 2016, 2016-03 or 2016-03-09. A month or day that no calendar has, or several months in one, is left out with
        what follows it.
    Empty: None without a year; a season or free text is no month.
    """
    year, month, day = words_of(element, _PARTS)
    if year is None:
        match = _ISO.match(element.get("iso-8601-date") or "")
        if match is None:
            return None
        year, month, day = match.groups()
    return partial_date(year, month or "", day or "")


def publication_kinds(element: etree._Element) -> tuple[str, ...]:
    """Tell which dates of publication a pub-date states: any of ppub, epub, collection; () for another date.

    Source: pub-type (NLM, JATS 1.0), or date-type with publication-format (JATS 1.1 and later).
    """
    pub_type = element.get("pub-type")
    if pub_type in ("ppub", "epub", "collection"):
        return (pub_type,)
    if pub_type in ("epub-ppub", "ppub-epub"):
        return ("ppub", "epub")
    if pub_type is not None:
        return ()
    date_type = element.get("date-type")
    if date_type == "collection":
        return ("collection",)
    if date_type not in (None, "pub", "publication"):
        return ()
    medium = element.get("publication-format") or ""
    return tuple(kind for kind, word in (("ppub", "print"), ("epub", "electronic")) if word in medium)
