"""One article version's metadata as NLM's JSON states it, as a row of `raw.article_versions`."""

from datetime import datetime
from typing import Any

from pmc_assets.licenses import license_group
from pmc_assets.source.fetcher import MD5

TEXT_FIELDS = ("doi", "mid", "title", "citation", "license_code")
FLAG_FIELDS = ("is_pmc_openaccess", "is_manuscript", "is_historical_ocr", "is_retracted")
FILE_FIELDS = ("xml", "text", "pdf")
MAX_INT = 2**63 - 1


class UnreadableMetadata(ValueError):
    """The metadata lacks a flag, or a field is of another kind than NLM documents."""


def version_row(fields: dict[str, Any], *, etag: str | None, modified_at: datetime | None) -> dict[str, Any]:
    """Read NLM's fields into a row (without fetched_at and removed_at).

    Source: the metadata JSON of the bucket; every URL carries `?md5=`. Raises: UnreadableMetadata.
    """
    row: dict[str, Any] = {
        "pmcid": _checked(fields, "pmcid", str),
        "version": _checked(fields, "version", int),
        "pmid": _checked(fields, "pmid", int, is_required=False) or None,
        "package_url": _checked(fields, "package_url", str, is_required=False),
        "package_updated_at": _checked(fields, "package_updated_at", datetime, is_required=False),
        "etag": etag,
        "last_modified_at": modified_at,
    }
    row |= {name: _checked(fields, name, str, is_required=False) for name in TEXT_FIELDS}
    row |= {name: _checked(fields, name, bool) for name in FLAG_FIELDS}
    for name in FILE_FIELDS:
        url = _checked(fields, f"{name}_url", str, is_required=False)
        row[f"{name}_url"], row[f"{name}_md5"] = split_md5(url) if url else (None, None)
    media = [split_md5(url) for url in _texts(fields, "media_urls")]
    row["media_urls"], row["media_md5s"] = [url for url, _ in media], [md5 for _, md5 in media]
    row["license_group"] = license_group(row["license_code"])
    return row


def split_md5(url: str) -> tuple[str, str | None]:
    """Split `<url>?md5=<hex>`; the md5 is None where none is stated, or something that is no md5."""
    place, mark, md5 = url.rpartition("?md5=")
    return (place, md5.lower() if MD5.fullmatch(md5.lower()) else None) if mark else (url, None)


def _checked(fields: dict[str, Any], name: str, kind: type, *, is_required: bool = True) -> Any:
    value = fields.get(name)
    if value is None and not is_required:
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UnreadableMetadata(f"{name} is {value!r}"[:200])
    if (isinstance(value, int) and abs(value) > MAX_INT) or (isinstance(value, str) and not _is_text(value)):
        raise UnreadableMetadata(f"{name} is {value!r}"[:200])
    return value


def _is_text(value: str) -> bool:
    """Say whether a text can be written as UTF-8: JSON may escape half of a character."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(fields: dict[str, Any], name: str) -> list[str]:
    values = fields.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, str) and _is_text(value) for value in values):
        raise UnreadableMetadata(f"{name} is {values!r}"[:200])
    return values
