"""Parse a run of article versions of one partition: one XML parse and one image decode each. Publishing stays out."""

from dataclasses import dataclass, field

import pyarrow as pa

from pmc_assets import schema
from pmc_assets.figures.pairing import pair_images
from pmc_assets.jats.article import Article, MalformedArticle, read_article
from pmc_assets.lake import Lake
from pmc_assets.packages.files import StoredFile
from pmc_assets.rejects import Reject

CHUNK_TABLES = (
    schema.CORE_ARTICLES,
    schema.CORE_FIGURES,
    schema.CORE_IMAGES,
    schema.CORE_MENTIONS,
    schema.CORE_SUBCAPTIONS,
)
_ARTICLE_COLUMNS = [f.name for f in schema.CORE_ARTICLES.columns if f.name in Article.__slots__]


@dataclass(slots=True)
class PackagedArticle:
    """One article version: its row of `raw.filelists` and its stored files by name."""

    offer: dict
    files: dict[str, StoredFile]

    @property
    def has_xml(self) -> bool:
        return any(file.role == "xml" for file in self.files.values())

    @property
    def xml(self) -> StoredFile:
        return next(file for file in self.files.values() if file.role == "xml")


@dataclass(slots=True)
class ParsedChunk:
    """Rows of each core table in key order, and what was left out."""

    tables: dict[str, pa.Table]
    rejects: list[Reject] = field(default_factory=list)


def parse_chunk(lake_url: str, articles: list[PackagedArticle]) -> ParsedChunk:
    """Parse a few articles; runs in a worker process, so it takes and gives plain records."""
    lake = Lake(lake_url)
    rows: dict[str, list[dict]] = {table.name: [] for table in CHUNK_TABLES}
    rejects: list[Reject] = []
    for article in articles:
        _parse_article(lake, article, rows, rejects)
    return ParsedChunk({table.name: table.from_rows(rows[table.name]) for table in CHUNK_TABLES}, rejects)


def _parse_article(lake: Lake, packaged: PackagedArticle, rows: dict[str, list[dict]], rejects: list[Reject]) -> None:
    offer = packaged.offer
    key = {"pmcid": offer["pmcid"], "version": offer["version"]}

    def read_file(file: StoredFile) -> bytes:
        return lake.read_bytes(file.part_path, file.offset_bytes, file.size_bytes)

    try:
        article = read_article(read_file(packaged.xml))
    except MalformedArticle as error:
        rejects.append(Reject("articles", "bad_xml", key["pmcid"], key["version"], packaged.xml.name, str(error)))
        return
    media = {name: file for name, file in packaged.files.items() if file.role == "media"}
    is_media_offered = bool(offer["media_urls"] or offer["package_url"])
    rows["core.articles"].append(article_row(article, offer))
    for name, records in (
        ("core.figures", article.figures),
        ("core.mentions", article.mentions),
        ("core.subcaptions", article.subcaptions),
    ):
        rows[name].extend(key | record for record in records)
    for image in pair_images(key, article.figures, media, read_file, is_media_offered):
        if isinstance(image, Reject):
            rejects.append(image)
        else:
            rows["core.images"].append(image)


def article_row(article: Article, offer: dict) -> dict:
    """Join what the article says of itself with what NLM's metadata says of the version; NLM's ids come first."""
    row = {name: getattr(article, name) for name in _ARTICLE_COLUMNS}
    nlm = {name: offer[name] for name in ("pmcid", "version", "pmid", "license_code", "is_manuscript", "citation")}
    return row | nlm | {"doi": offer["doi"] or article.xml_doi, "is_retracted": bool(offer["is_retracted"])}
