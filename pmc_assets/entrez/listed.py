"""The PMIDs of one partition, from its file list and from its articles. What PubMed says of them stays out."""

from dataclasses import dataclass, field
from typing import NamedTuple

from pmc_assets.batches import article_order
from pmc_assets.lake import Lake, Partition
from pmc_assets.schema import CORE_ARTICLES, RAW_FILELISTS


class ArticleKey(NamedTuple):
    """The key of an article version."""

    pmcid: str
    version: int


@dataclass(slots=True)
class Listed:
    """Every PMID of a partition with the first article version that states it, and where two sources disagree.

    `mismatches`: articles whose file list states one PMID and whose XML another; both are in `articles`.
    """

    articles: dict[int, ArticleKey] = field(default_factory=dict)
    mismatches: dict[ArticleKey, tuple[int, int]] = field(default_factory=dict)
    without_pmid: int = 0


def read_listed(lake: Lake, partition: Partition) -> Listed:
    """Collect the PMIDs of raw.filelists, and those of core.articles' XML where it has been parsed."""
    xml_pmids = _pmids(lake, partition, "xml_pmid")
    listed = Listed()
    for key, pmid in sorted(_pmids(lake, partition, "pmid").items(), key=lambda item: article_order(*item[0])):
        xml_pmid = xml_pmids.get(key)
        stated = dict.fromkeys(id_ for id_ in (pmid, xml_pmid) if id_ is not None)
        for id_ in stated:
            listed.articles.setdefault(id_, key)
        if pmid is not None and xml_pmid is not None and pmid != xml_pmid:
            listed.mismatches[key] = (pmid, xml_pmid)
        listed.without_pmid += not stated
    return listed


def _pmids(lake: Lake, partition: Partition, column: str) -> dict[ArticleKey, int | None]:
    table = CORE_ARTICLES if column == "xml_pmid" else RAW_FILELISTS
    rows = lake.read_table(table, partition, columns=["pmcid", "version", column])
    return {ArticleKey(row["pmcid"], row["version"]): row[column] for row in rows.to_pylist()}
