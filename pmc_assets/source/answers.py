"""What a source answers to one request, and the named ways in which it does not. How it is asked stays out."""

import hashlib
from dataclasses import dataclass

from pmc_assets.http_faults import TransientFault

GONE_STATUSES = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of one object; `etag` is what the server calls them, "" where it says nothing.

    `md5` is theirs where it was computed already.
    """

    content: bytes
    etag: str = ""
    md5: str = ""


class NotGiven(Exception):
    """The source does not give one object; `reason` is that of its reject ("": it depends on what is missing)."""

    reason = ""


class Missing(NotGiven):
    """The source answers that there is no such object (404, 410, no such file)."""


class Refused(NotGiven):
    """The source refuses this request for good (any other 4xx)."""

    reason = "refused"


class TooLarge(NotGiven):
    """The object, or its declared size, is over the limit."""

    reason = "too_large"


class WrongBytes(TransientFault, NotGiven):
    """The bytes came whole but are not those that the metadata promises."""

    reason = "md5_mismatch"


class Unanswered(NotGiven):
    """One object failed at every attempt while the source answered others."""

    reason = "unanswered"


class SourceUnavailable(RuntimeError):
    """The source as a whole gives no good answer any more; the partition is not published."""


class DiskFault(RuntimeError):
    """Our own disk does not take what the source gives; the partition is not published."""


def md5_of(content: bytes) -> str:
    """Give the md5 of some bytes, hex: what S3 calls an object of one part."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
