"""One article's JATS as records: everything that the core tables take from the XML, from one parse.

No file, address or clock is touched; the keys (pmcid, version) and NLM's own metadata come from elsewhere.
"""

from dataclasses import dataclass

from pmc_assets.jats.body import read_body_paragraphs, read_references
from pmc_assets.jats.document import MalformedArticle, parse_article, parse_named_article
from pmc_assets.jats.figures import read_figures
from pmc_assets.jats.front import read_front
from pmc_assets.jats.graphics import read_showings
from pmc_assets.jats.mentions import read_mentions
from pmc_assets.jats.outline import Outline
from pmc_assets.jats.pointers import figures_by_id, find_pointers
from pmc_assets.jats.ranges import FigureNumbers
from pmc_assets.jats.settle import settle_text

__all__ = ["Article", "MalformedArticle", "read_article", "read_graphics"]


@dataclass(slots=True, kw_only=True)
class Article:
    """What one JATS file says: the columns of `core.articles` by their names, and the rows of the figure tables.

    Rows carry no pmcid and version; `figure_index` ties mentions and subcaptions to figures.
    """

    article_ids: list[tuple[str, str]]
    xml_pmid: int | None
    xml_pmcid: str | None
    xml_doi: str | None
    title: str | None
    subtitle: str | None
    translated_titles: list[str]
    abstract: str | None
    other_abstracts: list[dict]
    translated_abstracts: list[dict]
    journal_title: str | None
    nlm_ta: str | None
    issns: list[str]
    publisher: str | None
    ppub_date: str | None
    epub_date: str | None
    collection_date: str | None
    received_date: str | None
    accepted_date: str | None
    year: int | None
    volume: str | None
    issue: str | None
    first_page: str | None
    last_page: str | None
    article_type: str | None
    subjects: list[str]
    keyword_groups: list[dict]
    keywords: list[str]
    authors: list[dict]
    funding: list[dict]
    funding_statement: str | None
    license_url: str | None
    license_text: str | None
    xml_license_code: str | None
    copyright_statement: str | None
    language: str | None
    related_articles: list[dict]
    body_paragraphs: list[dict]
    reference_count: int
    reference_pmids: list[int]
    reference_dois: list[str]
    is_recovered: bool
    figures: list[dict]
    mentions: list[dict]
    subcaptions: list[dict]


def read_article(xml: bytes) -> Article:
    """Read one article from the bytes of its JATS.

    Source: NLM 1.1 to JATS 1.4, bare or in an OAI-PMH or efetch wrapper.
    Shape: figures in document order over all kinds; mentions by figure, then in document order.
    Raises: MalformedArticle when the bytes are not one well-formed article; nothing is half-read.
    """
    outline, is_recovered = outline_article(xml)
    showings = read_showings(outline)
    descriptions = settle_text(outline)
    pointers = find_pointers(outline, figures_by_id(showings, has_groups=bool(outline.found["fig-group"])))
    figures, subcaptions = read_figures(outline, showings, descriptions)
    mentions, texts = read_mentions(outline, pointers, FigureNumbers(outline, showings, figures))
    return Article(
        **read_front(outline.article),
        **read_references(outline),
        body_paragraphs=read_body_paragraphs(outline, texts),
        is_recovered=is_recovered,
        figures=figures,
        mentions=mentions,
        subcaptions=subcaptions,
    )


def outline_article(xml: bytes) -> tuple[Outline, bool]:
    """Parse and walk one article; the flag says that it was recovered. Raises: MalformedArticle."""
    root, is_recovered = parse_article(xml)
    outline = Outline(root)
    if outline.has_entity:
        outline = Outline(parse_named_article(xml))
    return outline, is_recovered


def read_graphics(xml: bytes) -> list[tuple[str, str]]:
    """List (kind, graphic_ref) of every graphic of one article, figure by figure, without reading any text.

    Raises: MalformedArticle as `read_article` does.
    """
    outline, _ = outline_article(xml)
    showings = read_showings(outline)
    return [(showing.kind, graphic["graphic_ref"]) for showing in showings for graphic in showing.graphics]
