"""The old file lists: `oa_file_list.csv`, its `.txt` twin, bulk lists; read by header, as one kind of row."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.compute as pc
from isal import igzip, isal_zlib

from pmc_assets.source.answers import md5_of
from pmc_assets.source.csv_rows import parse_time, read_csv
from pmc_assets.source.source import UnreadableListing

LIST_NAME = re.compile(r"(?i).*file_?list.*\.(csv|txt)(\.gz)?")
LIST_NAMES = ("oa_file_list.csv", "oa_file_list.txt")
TEXT_COLUMNS = ("path", "citation", "pmcid", "pmid", "license")
HEADERS = {
    "file": "path",
    "articlefile": "path",
    "articlecitation": "citation",
    "accessionid": "pmcid",
    "lastupdated": "updated",
    "pmid": "pmid",
    "license": "license",
    "retracted": "retracted",
}
COLUMNS = ("path", "citation", "pmcid", "updated", "pmid", "license", "retracted")
VERSION = 1
PMID = re.compile(r"\s*(?:PMID:)?\s*([0-9]{1,18})\s*", re.IGNORECASE)


class UnreadableFileList(UnreadableListing):
    """A file list has not the columns that NLM's lists have; nothing was changed."""


def is_list_name(name: str) -> bool:
    """Say whether a file is named like one of NLM's old lists."""
    return LIST_NAME.fullmatch(name) is not None


def read_list(path: Path) -> Iterator[pa.Table]:
    """Read one list block by block; every column of COLUMNS is there, as text, null where the list lacks it.

    A row that cannot be read has its text as citation, and nothing else.
    Raises: UnreadableFileList.
    """
    with _opened(path) as file:
        if path.name.lower().removesuffix(".gz").endswith(".txt"):
            file.readline()
            yield from read_csv(file, TEXT_COLUMNS, COLUMNS, "citation", delimiter="\t", quote_char=False)
        else:
            names = _column_names(file.readline().decode("utf-8-sig"), path.name)
            yield from read_csv(file, names, COLUMNS, "citation")


def first_line(path: Path) -> str:
    """Give a list's first line: the header of a CSV, the date of a `.txt`. Raises: UnreadableFileList."""
    with _opened(path) as file:
        return file.readline().decode("utf-8-sig").strip()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a list, compressed or not; whatever keeps it from being read is an UnreadableFileList."""
    try:
        with igzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as file:
            yield cast(IO[bytes], file)
    except (pa.ArrowInvalid, OSError, EOFError, UnicodeError, isal_zlib.IsalError) as error:  # type: ignore[misc]
        raise UnreadableFileList(f"{path.name} cannot be read: {error}; nothing was changed") from error


def is_bulk_list(path: Path) -> bool:
    """Say whether a list describes single XML files rather than tarballs."""
    return first_line(path).lower().startswith(('"article file"', "article file"))


def _column_names(header: str, list_name: str) -> list[str]:
    """Name the columns by the words of their header: what is in brackets, spaces and case do not count."""
    raw = [re.sub(r"\(.*?\)|[^a-z]", "", name.lower()) for name in header.strip().split(",")]
    names = [HEADERS.get(name, f"other {number}") for number, name in enumerate(raw)]
    if not {"path", "pmcid", "license"} <= set(names):
        raise UnreadableFileList(f"{list_name} has the columns {header.strip()!r}: no file, accession id or license")
    return names


def row_etags(rows: pa.Table) -> list[str]:
    """Give a digest per row that changes when the list says something else of the article."""
    columns = [pc.fill_null(rows[name], "") for name in ("path", "updated", "pmid", "license", "retracted", "citation")]
    return [md5_of(text.encode()) for text in pc.binary_join_element_wise(*columns, "|").to_pylist()]


def metadata_fields(row: dict[str, Any]) -> dict[str, Any]:
    """Say what a list's row says in the words of NLM's metadata JSON; the version is unknown and counts as 1."""
    is_package = row["path"].lower().endswith((".tar.gz", ".tgz", ".tar"))
    return {
        "pmcid": row["pmcid"],
        "version": VERSION,
        "pmid": parse_pmid(row["pmid"]),
        "citation": row["citation"],
        "license_code": row["license"],
        "is_pmc_openaccess": True,
        "is_manuscript": False,
        "is_historical_ocr": False,
        "is_retracted": is_retracted(row),
        "package_url": row["path"] if is_package else None,
        "package_updated_at": parse_time(row["updated"]),
        "xml_url": None if is_package else row["path"],
    }


def is_retracted(row: dict[str, Any]) -> bool:
    return (row["retracted"] or "").strip().lower() in {"yes", "y", "true", "1"}


def parse_pmid(text: str | None) -> int | None:
    """Read `123` and `PMID:123`; None for nothing, 0 and other words."""
    digits = PMID.fullmatch(text or "")
    return int(digits[1]) or None if digits else None
