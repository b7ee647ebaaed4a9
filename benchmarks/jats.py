"""Time the JATS reader against the bare parse of the same bytes and against public parsers, in one process.

Run: pip install pubmed_parser==0.5.1 pmcgrab beautifulsoup4; python benchmarks/jats.py [--articles 599] [--rounds 5]
(needs the real articles of PMC_SHARED).
"""

import argparse
import contextlib
import io
import logging
import os
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from lxml import etree

from pmc_assets.jats import article as reader
from pmc_assets.jats.article import MalformedArticle, read_article, read_graphics
from pmc_assets.jats.body import read_body_paragraphs, read_references
from pmc_assets.jats.document import parse_article
from pmc_assets.jats.front import read_front
from pmc_assets.jats.outline import Outline

PEER_ARTICLES = 20
"""Slow peers read this many of the articles, and so do we for their ratio."""


def bare(path: Path, xml: bytes) -> None:
    etree.fromstring(xml)


def ours(path: Path, xml: bytes) -> None:
    read_article(xml)


def graphics_only(path: Path, xml: bytes) -> None:
    read_graphics(xml)


def pubmed_parser(path: Path, xml: bytes) -> None:
    import pubmed_parser

    pubmed_parser.parse_pubmed_caption(str(path))
    pubmed_parser.parse_pubmed_xml(str(path))
    pubmed_parser.parse_pubmed_paragraph(str(path), all_paragraph=True)


def beautiful_soup(path: Path, xml: bytes) -> None:
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(xml, "lxml-xml")
    [(figure.find("caption"), figure.find_all("graphic")) for figure in soup.find_all("fig")]


def pmcgrab(path: Path, xml: bytes) -> None:
    from pmcgrab import process_single_local_xml

    process_single_local_xml(str(path))


def seconds(read: Callable[[Path, bytes], None], articles: list[tuple[Path, bytes]]) -> tuple[float, int]:
    """Take the processor time of one round over all articles; also count those that the reader failed at."""
    failed = 0
    started = time.process_time()
    for path, xml in articles:
        try:
            read(path, xml)
        except Exception:  # noqa: BLE001
            failed += 1
    return time.process_time() - started, failed


def rounds(readers: list[Callable], articles: list[tuple[Path, bytes]], count: int) -> dict[str, tuple[float, int]]:
    """Give per reader the median time of an article in ms over interleaved rounds, and its failures."""
    times: dict[str, list[float]] = {each.__name__: [] for each in readers}
    failures = {}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for _ in range(count):
            for each in readers:
                spent, failures[each.__name__] = seconds(each, articles)
                times[each.__name__].append(spent)
    return {name: (statistics.median(spent) * 1e3 / len(articles), failures[name]) for name, spent in times.items()}


def parts(articles: list[tuple[Path, bytes]], count: int) -> dict[str, float]:
    """Give the time of each part of a reading, in ms per article: what costs how much."""
    spent: dict[str, float] = {}

    def timed(name: str, call: Callable, *arguments):
        started = time.process_time()
        result = call(*arguments)
        spent[name] = spent.get(name, 0.0) + time.process_time() - started
        return result

    for _ in range(count):
        for _, xml in articles:
            try:
                root, _ = timed("parse", parse_article, xml)
            except MalformedArticle:
                continue
            outline = timed("walk and places", Outline, root)
            showings = timed("graphics and their owners", reader.read_showings, outline)
            descriptions = timed("settling of formulas and blocks", reader.settle_text, outline)
            by_id = reader.figures_by_id(showings, has_groups=bool(outline.found["fig-group"]))
            pointers = timed("pointers at figures", reader.find_pointers, outline, by_id)
            figures = timed("captions, figures, subcaptions", reader.read_figures, outline, showings, descriptions)[0]
            numbers = timed("numbers of figures", reader.FigureNumbers, outline, showings, figures)
            _, texts = timed("mentions", reader.read_mentions, outline, pointers, numbers)
            timed("front: ids, authors, dates, licence", read_front, root)
            timed("references", read_references, outline)
            timed("body paragraphs", read_body_paragraphs, outline, texts)
    return {name: total * 1e3 / count / len(articles) for name, total in spent.items()}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--articles", type=int, default=599)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    folder = Path(os.environ.get("PMC_SHARED", "../shared")) / "jats"
    articles = [(path, path.read_bytes()) for path in sorted(folder.glob("*.xml"))[: chosen.articles]]
    size_kb = sum(len(xml) for _, xml in articles) / len(articles) / 1e3
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        read_by_all = [
            each for each in articles if not seconds(pubmed_parser, [each])[1] and not seconds(bare, [each])[1]
        ]
    unread = len(articles) - len(read_by_all)
    articles = read_by_all
    fast = rounds([bare, ours, graphics_only, pubmed_parser], articles, chosen.rounds)
    few = articles[:: max(1, len(articles) // PEER_ARTICLES)]
    slow = rounds([ours, beautiful_soup, pmcgrab], few, 1)
    ours_ms = fast["ours"][0]
    print(f"{len(articles)} articles of {size_kb:.0f} kB on average; median of {chosen.rounds} interleaved rounds.")
    print(f"{unread} more articles are read by ours, but not by pubmed_parser or by a parser without entity names.\n")
    print("| reader | ms of processor time an article | × bare parse | × ours | failed at |\n|---|---|---|---|---|")
    for name, (ms, failed) in fast.items():
        print(f"| {name} | {ms:.2f} | {ms / fast['bare'][0]:.2f} | {ms / ours_ms:.2f} | {failed} of {len(articles)} |")
    for name, (ms, failed) in slow.items():
        if name != "ours":
            print(f"| {name} | {ms:.1f} | | {ms / slow['ours'][0]:.1f} | {failed} of {len(few)} |")
    print("\n| part of ours | ms an article | × bare parse |\n|---|---|---|")
    for name, ms in parts(articles, 2).items():
        print(f"| {name} | {ms:.3f} | {ms / fast['bare'][0]:.2f} |")


if __name__ == "__main__":
    main()
