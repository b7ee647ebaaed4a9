"""PubMed's dates as ISO 8601 text, as precise as they are stated. Choosing among a record's dates stays out."""

import re
from collections.abc import Mapping

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR = re.compile(r"(?<!\d)(1[5-9]|2\d)\d\d(?!\d)")


def iso_date(date: Mapping[str, str] | None) -> str | None:
    """Give Year, Month (number or English name) and Day as ISO 8601; a part that is no date ends the precision.

    Empty: None where no date or no year is stated.
    """
    year = (date or {}).get("Year", "").strip()
    if date is None or not re.fullmatch(r"\d{4}", year):
        return None
    month = _month(date.get("Month", ""))
    if month is None:
        return year
    day = date.get("Day", "").strip()
    is_day = day.isascii() and day.isdigit() and 1 <= int(day) <= 31
    return f"{year}-{month:02d}-{int(day):02d}" if is_day else f"{year}-{month:02d}"


def free_date(date: Mapping[str, str]) -> str | None:
    """Give the date as printed where it is free text (MedlineDate) or names a season; else None."""
    if "MedlineDate" in date:
        return " ".join(date["MedlineDate"].split())
    if "Season" in date:
        return f"{date.get('Year', '')} {date['Season']}".strip()
    return None


def first_year(text: str | None) -> int | None:
    """Find the first year that a date names: 1998 in `1998 Dec-1999 Jan`."""
    year = _YEAR.search(text or "")
    return int(year[0]) if year else None


def _month(text: str) -> int | None:
    word = text.strip().lower()
    if word.isascii() and word.isdigit():
        return int(word) if 1 <= int(word) <= 12 else None
    return _MONTHS.index(word[:3]) + 1 if word[:3] in _MONTHS else None
