"""What an answer of EFetch means: a set of records, a fault that passes, or a refusal. Asking again stays out."""

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from http import HTTPStatus

from pmc_assets.http_faults import TransientFault, is_passing, retry_after_s

EMPTY_SET = b"<PubmedArticleSet></PubmedArticleSet>"
EXCERPT_CHARACTERS = 200
_COMPLETE = re.compile(rb"(</PubmedArticleSet\s*>|<PubmedArticleSet\s*/>)\s*\Z")
_ERROR = re.compile(rb"<ERROR>(.*?)</ERROR>", re.DOTALL | re.IGNORECASE)
_ID_LIST_EMPTY = "ID list is empty"
_NO_SUMMARY = "cannot get document summary"
_RATE_WORDS = "API rate limit exceeded"


class EFetchUnavailable(RuntimeError):
    """EFetch gives no records now. What it gave before stays usable."""


class EFetchRefused(EFetchUnavailable):
    """EFetch refuses the request for good: asking again changes nothing, the settings have to."""


def read_answer(
    status: int, headers: Mapping[str, str], body: bytes, now: datetime, secrets: Collection[str] = ()
) -> bytes:
    """Give the PubmedArticleSet of an answer; the empty set where no asked id is an id.

    Source: pmc-source facts on E-utilities: faults come with any status, 200 included, so the body decides first.
    Raises: TransientFault, EFetchRefused. Their messages quote the service's own error cleared of `secrets`.
    """
    error = cleared(_stated_error(body), secrets)
    if status == HTTPStatus.TOO_MANY_REQUESTS or _RATE_WORDS in error:
        raise TransientFault(f"HTTP {status}: over the request rate", retry_after_s(headers, now))
    if is_passing(status) or _NO_SUMMARY in error:
        raise TransientFault(f"HTTP {status}: {error or 'server fault'}", retry_after_s(headers, now))
    if _ID_LIST_EMPTY in error:
        return EMPTY_SET
    if status != HTTPStatus.OK:
        raise EFetchRefused(f"HTTP {status}: {error or 'no reason given'}")
    if error:
        raise TransientFault(f"HTTP {status}: {error}")
    if _COMPLETE.search(body, max(0, len(body) - 200)) is None:
        kind = "HTML" if b"<html" in body[:1000].lower() else "a truncated body"
        raise TransientFault(f"HTTP {status}: {kind} of {len(body)} bytes in place of a PubmedArticleSet")
    return body


def cleared(message: str, secrets: Collection[str]) -> str:
    """Replace secrets by stars."""
    for secret in filter(None, secrets):
        message = message.replace(secret, "***")
    return message


def _stated_error(body: bytes) -> str:
    """Give the error that a body states, as eFetchResult/ERROR or as JSON; "" where it states none."""
    if body.lstrip().startswith(b"{"):
        try:
            return str(json.loads(body).get("error", ""))[:EXCERPT_CHARACTERS]
        except (ValueError, AttributeError):
            return ""
    stated = None if b"<PubmedArticle>" in body else _ERROR.search(body)
    return " ".join(stated[1].decode(errors="replace").split())[:EXCERPT_CHARACTERS] if stated else ""
