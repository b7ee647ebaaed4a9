"""What a source answers to one request, and the named ways in which it does not. How it is asked stays out."""

import hashlib
from dataclasses import dataclass

GONE_STATUSES = frozenset({404, 410})
RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of one object; `etag` is what the server calls them, "" where it says nothing."""

    content: bytes
    etag: str = ""


class Missing(Exception):
    """The source answers that there is no such object (404, 410, no such file)."""


class Refused(Exception):
    """The source refuses this request for good (any other 4xx)."""


class TooLarge(Exception):
    """The object, or its declared size, is over the limit."""


class TransientFault(Exception):
    """The request failed in a way that passes: 408, 429, 5xx, resets, time-outs, cut bodies.

    `retry_after_s` is how long the source asks to wait; None where it does not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class WrongBytes(TransientFault):
    """The bytes came whole but are not those that the metadata promises."""


class Unanswered(Exception):
    """One object failed at every attempt while the source answered others."""


class SourceUnavailable(RuntimeError):
    """The source as a whole gives no good answer any more; the partition is not published."""


def md5_of(content: bytes) -> str:
    """Give the md5 of some bytes, hex: what S3 calls an object of one part."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
