"""PubMed's dates as ISO 8601 text, as precise as they are stated. Choosing among a record's dates stays out."""

import re
from collections.abc import Mapping

from pmc_assets.partial_dates import partial_date

_YEAR = re.compile(r"(?<!\d)(1[5-9]|2\d)\d\d(?!\d)")


def iso_date(date: Mapping[str, str] | None) -> str | None:
    """Give Year, Month (number or English name) and Day as ISO 8601; a part that is no date ends the precision.

    Empty: None where no date or no year is stated.
    """
    return partial_date(*((date or {}).get(part, "").strip() for part in ("Year", "Month", "Day")))


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
