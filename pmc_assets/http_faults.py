"""What every HTTP service may answer: a fault that passes, and how long to wait. Asking again stays out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def is_passing(status: int) -> bool:
    """Say whether a status is that of a fault that passes."""
    return status in {408, 425, 429} or status >= 500


class TransientFault(Exception):
    """The request failed in a way that passes: 408, 429, 5xx, resets, time-outs, cut bodies.

    `retry_after_s` is how long the service asks to wait; None where it does not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read `Retry-After`, in s: seconds, or a date, which is counted from the server's own `Date`, else from `now`.

    Empty: None where it is absent or says something else.
    """
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    until, since = _date(asked), _date(headers.get("Date", "")) or now
    return None if until is None or since is None else max(0.0, (until - since).total_seconds())


def _date(text: str) -> datetime | None:
    """Read a date of HTTP, which is in UTC where it names no zone."""
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)
