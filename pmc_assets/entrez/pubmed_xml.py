"""PubMed's XML as Biopython's parser gives it, with the DTDs that Biopython ships; what the elements mean stays out."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import Bio
from Bio import Entrez

# Biopython makes its DTD cache when the parser is imported: its own folder has one, the home needs none.
Entrez.local_cache = str(Path(Bio.__file__).parent.parent)  # type: ignore[assignment]

from Bio.Entrez import Parser  # noqa: E402

SHIPPED_DTDS = Path(Entrez.__file__).parent / "DTDs"
NEWEST_DTD = max(path.name for path in SHIPPED_DTDS.glob("pubmed_*.dtd"))
PARSER_ERRORS = (ValueError, KeyError, AssertionError, AttributeError, RuntimeError, OSError, Parser.expat.ExpatError)
_PROLOG = '<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE PubmedArticleSet SYSTEM "{dtd}">'
_DTD_URL = f"https://dtd.nlm.nih.gov/ncbi/pubmed/out/{NEWEST_DTD}"
_ENCODING = re.compile(rb"""\A[^<]{0,3}<\?xml[^>]*encoding=["']([\w.-]+)""")
_SET_START = re.compile(rb"<PubmedArticleSet[\s/>]")
_RECORD_START = re.compile(rb"<(PubmedArticle|PubmedBookArticle)[\s>]")
_PMID = re.compile(rb"<PMID[^>]*>\s*(\d{1,18})\s*</PMID>")


class NotPubmedXml(ValueError):
    """The bytes hold no PubmedArticleSet."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One record of a set that Biopython cannot read; `pmid` is None where not even that can be found."""

    pmid: int | None
    detail: str


class _OfflineHandler(Parser.DataHandler):
    """Biopython's parser without its downloads: a DTD or schema that is not shipped is an error."""

    def open_dtd_file(self, filename: str) -> BinaryIO:  # pyrefly: ignore[bad-override]
        return (SHIPPED_DTDS / filename).open("rb")

    def open_xsd_file(self, filename: str) -> BinaryIO:  # pyrefly: ignore[bad-override]
        raise FileNotFoundError(f"{filename}: PubMed's answers have a DTD, no schema")


def read_elements(xml: bytes) -> list[Parser.DictionaryElement | Unreadable]:
    """Read the PubmedArticle and PubmedBookArticle elements of one PubmedArticleSet.

    Source: the set is read by the newest PubMed DTD that Biopython ships, whichever it names; elements that this DTD
    does not know are skipped. A set that cannot be read whole is read by halves.
    Raises: NotPubmedXml if there is no PubmedArticleSet.
    """
    start = _SET_START.search(xml)
    if start is None:
        raise NotPubmedXml(f"no PubmedArticleSet in {len(xml)} bytes of XML: ask EFetch for db=pubmed, retmode=xml")
    declared = _ENCODING.match(xml)
    encoding = declared[1].decode() if declared else "utf-8"
    body = xml[start.start() :]
    try:
        return _parse(body, encoding)
    except PARSER_ERRORS:
        return list(_parse_halves(list(_split(body)), encoding))


def _parse(body: bytes, encoding: str) -> list[Parser.DictionaryElement | Unreadable]:
    prolog = _PROLOG.format(encoding=encoding, dtd=_DTD_URL).encode()
    handler = _OfflineHandler(validate=False, escape=True, ignore_errors=False)
    answer = handler.read(io.BytesIO(prolog + body))
    return [*answer["PubmedArticle"], *answer["PubmedBookArticle"]]


def _parse_halves(records: list[bytes], encoding: str) -> Iterator[Parser.DictionaryElement | Unreadable]:
    """Parse records together where that works, else half by half, down to the one that cannot be read."""
    try:
        yield from _parse(b"<PubmedArticleSet>" + b"".join(records) + b"</PubmedArticleSet>", encoding)
    except PARSER_ERRORS as error:
        if len(records) == 1:
            pmid = _PMID.search(records[0])
            yield Unreadable(int(pmid[1]) if pmid else None, f"{type(error).__name__}: {error}")
        else:
            yield from _parse_halves(records[: len(records) // 2], encoding)
            yield from _parse_halves(records[len(records) // 2 :], encoding)


def _split(body: bytes) -> Iterator[bytes]:
    """Cut a set into the bytes of its records, by their start tags; a record without its end keeps what there is."""
    starts = list(_RECORD_START.finditer(body))
    ends = [start.start() for start in starts[1:]] + [len(body)]
    for start, end in zip(starts, ends, strict=True):
        piece = body[start.start() : end]
        record, tag, _ = piece.rpartition(b"</" + start[1] + b">")
        yield record + tag or piece
