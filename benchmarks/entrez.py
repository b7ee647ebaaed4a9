"""PubMed XML to rows: pmc_assets against Biopython's parser alone, pubmed_parser (where installed) and bare lxml.

    python -m benchmarks.entrez [--runs 9]

Input: the 300 records of a PubMed baseline file (PMC_SHARED) as answers of 200; medians of one process.
"""

import argparse
import gzip
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from lxml import etree

from pmc_assets.entrez import pubmed_xml
from pmc_assets.entrez.efetch import PMIDS_PER_REQUEST
from pmc_assets.entrez.rate import REQUESTS_PER_SECOND
from pmc_assets.entrez.records import parse_records
from pmc_assets.schema import CORE_PUBMED_RECORDS

BASELINE = Path(os.environ.get("PMC_SHARED", "../shared")) / "entrez" / "pubmed20n0014.first300.xml"


def answer_of(path: Path) -> bytes:
    """Give the file's first 200 records as one answer of EFetch."""
    records = path.read_bytes().split(b"<PubmedArticle>")[1 : PMIDS_PER_REQUEST + 1]
    articles = b"".join(
        b"<PubmedArticle>" + record.partition(b"</PubmedArticle>")[0] + b"</PubmedArticle>" for record in records
    )
    return b"<PubmedArticleSet>" + articles + b"</PubmedArticleSet>"


def to_table(answer: bytes) -> object:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return CORE_PUBMED_RECORDS.from_rows([row | {"fetched_at": now} for row in parse_records(answer).rows])


def pubmed_parser(answer: bytes) -> Callable[[], object] | None:
    try:
        import pubmed_parser as peer
    except ImportError:
        return None
    path = Path(tempfile.mkdtemp()) / "answer.xml.gz"
    path.write_bytes(gzip.compress(answer, 1))
    return lambda: list(peer.parse_medline_xml(str(path)))


def median_s(work: Callable[[], object], runs: int) -> float:
    work()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=9)
    runs = options.parse_args().runs
    answer = answer_of(BASELINE)
    broken = answer.replace(b"<ArticleTitle>", b"<ArticleTitle>A & B ", 1)
    candidates: dict[str, Callable[[], object] | None] = {
        "bare lxml parse (floor)": lambda: etree.fromstring(answer),
        "Biopython's parser alone": lambda: pubmed_xml.read_elements(answer),
        "pmc_assets: rows": lambda: parse_records(answer),
        "pmc_assets: Arrow table": lambda: to_table(answer),
        "pmc_assets: one record unreadable": lambda: parse_records(broken),
        "pubmed_parser": pubmed_parser(answer),
    }
    print(f"{PMIDS_PER_REQUEST} records, {len(answer) / 1e6:.2f} MB; {platform.machine()}\n")
    print("| reading one answer | ms | records/s | times the floor |\n|---|---:|---:|---:|")
    floor = 0.0
    for name, work in candidates.items():
        if work is None:
            continue
        seconds = median_s(work, runs)
        floor = floor or seconds
        print(f"| {name} | {seconds * 1e3:.1f} | {PMIDS_PER_REQUEST / seconds:,.0f} | {seconds / floor:.1f} |")
    print(f"\nNCBI's rate without a key: at most {REQUESTS_PER_SECOND * PMIDS_PER_REQUEST:,.0f} records/s.")


if __name__ == "__main__":
    main()
