"""Dates as precise as they are stated: ISO 8601 year, month or day; nothing is filled in."""

from datetime import date
from functools import lru_cache

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MAX_DIGITS = 3


@lru_cache(10_000)
def partial_date(year: str, month: str = "", day: str = "") -> str | None:
    """Give what is stated, month as number or English name, as ISO 8601: 2016, 2016-03 or 2016-03-09.

    A month or day that no calendar has ends the precision. Empty: None without a year of four digits.
    """
    if not (year.isascii() and year.isdigit() and len(year) == 4):
        return None
    month_number = _number(month) or _month_of_name(month)
    if not 1 <= month_number <= 12:
        return year
    try:
        return date(int(year), month_number, _number(day)).isoformat()
    except ValueError:
        return f"{year}-{month_number:02d}"


def _number(text: str) -> int:
    """Read a number. Empty: 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else 0


def _month_of_name(name: str) -> int:
    """Read `March`, `Mar` and `Mar.`. Empty: 0 for other words, such as several months in one."""
    start = name[:3].lower()
    return MONTHS.index(start) + 1 if name.rstrip(".").isalpha() and start in MONTHS else 0
