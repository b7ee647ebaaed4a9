"""PubMed records as rows of core.pubmed_records. Asking for them, and when they were asked for, stays out."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pmc_assets.entrez.dates import first_year, free_date, iso_date
from pmc_assets.entrez.pubmed_xml import Unreadable, read_elements
from pmc_assets.entrez.record_parts import (
    Element,
    abstract_sections,
    abstract_text,
    article_id,
    authors,
    comments_corrections,
    electronic_doi,
    grants,
    issns,
    mesh_headings,
    other_abstracts,
    pages,
    references,
    text,
    texts,
)
from pmc_assets.rejects import Reject

STAGE = "pubmed_records"
RETRACTED_PUBLICATION_UI = "D016441"
_ROW_ERRORS = (KeyError, ValueError, TypeError, AttributeError, IndexError)


@dataclass(slots=True)
class RecordSet:
    """One answer of EFetch: rows without `fetched_at`, and rejects whose name is the PMID (None if not readable)."""

    rows: list[dict] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def parse_records(xml: bytes) -> RecordSet:
    """Read every record of one PubmedArticleSet.

    Source: PubMed's DTD; see `read_elements`. A book or chapter is a reject; so is a record that cannot be read.
    Shape: rows and rejects in the order of the answer; of two versions of one PMID the highest.
    Empty: no rows and no rejects for the empty set.
    Raises: NotPubmedXml if there is no PubmedArticleSet.
    """
    records = RecordSet()
    versions: dict[int, tuple[int, dict]] = {}
    for element in read_elements(xml):
        match _read(element):
            case Reject() as reject:
                records.rejects.append(reject)
            case (version, row) if version >= versions.get(row["pmid"], (0, {}))[0]:
                versions[row["pmid"]] = (version, row)
    records.rows = [row for _, row in versions.values()]
    return records


def _read(element: Element | Unreadable) -> Reject | tuple[int, dict]:
    if isinstance(element, Unreadable):
        return _reject("record_unreadable", element.pmid, element.detail)
    if "BookDocument" in element:
        return _reject("record_is_book", element["BookDocument"].get("PMID"), "PubmedBookArticle")
    try:
        pmid = element["MedlineCitation"]["PMID"]
        return int(pmid.attributes.get("Version", 1)), _row(element)
    except _ROW_ERRORS as error:
        pmid = element.get("MedlineCitation", {}).get("PMID")
        return _reject("record_unreadable", pmid, f"{type(error).__name__}: {error}")


def _reject(reason: str, pmid: int | str | None, detail: str) -> Reject:
    return Reject(STAGE, reason, name=None if pmid is None else str(pmid), detail=detail)


def _row(element: Element) -> dict:
    citation, pubmed = element["MedlineCitation"], element.get("PubmedData") or {}
    article = citation["Article"]
    reference_ids, listed_count = references(pubmed.get("ReferenceList") or [])
    stated_count = citation.get("NumberOfReferences", "").strip()
    return {
        "pmid": int(citation["PMID"]),
        "title": text(article.get("ArticleTitle")),
        "vernacular_title": text(article.get("VernacularTitle")),
        "abstract": abstract_text(article.get("Abstract")),
        "abstract_sections": abstract_sections(article.get("Abstract")),
        "other_abstracts": other_abstracts(citation.get("OtherAbstract") or []),
        **_subjects(citation),
        **_publication(citation),
        "authors": authors(article.get("AuthorList") or []),
        "grants": grants(article.get("GrantList") or []),
        "doi": article_id(pubmed, "doi") or electronic_doi(article.get("ELocationID") or []),
        "pmcid": article_id(pubmed, "pmc"),
        "reference_ids": reference_ids,
        "reference_count": listed_count or (int(stated_count) if stated_count.isdigit() else None),
        "comments_corrections": comments_corrections(citation.get("CommentsCorrectionsList") or []),
        "is_retracted": _is_retracted(citation),
    }


def _subjects(citation: Element) -> dict:
    headings = mesh_headings(citation.get("MeshHeadingList") or [])
    return {
        "mesh_headings": headings,
        "mesh_terms": [heading["descriptor"] for heading in headings],
        "chemicals": texts(chemical["NameOfSubstance"] for chemical in citation.get("ChemicalList") or []),
        "publication_types": texts(citation["Article"].get("PublicationTypeList") or []),
        "keywords": texts(keyword for keywords in citation.get("KeywordList") or [] for keyword in keywords),
    }


def _publication(citation: Element) -> dict:
    article, medline = citation["Article"], citation.get("MedlineJournalInfo") or {}
    journal = article["Journal"]
    issue = journal["JournalIssue"]
    pub_date, free_text = iso_date(issue["PubDate"]), free_date(issue["PubDate"])
    return {
        "journal_title": text(journal.get("Title")),
        "nlm_ta": text(medline.get("MedlineTA")),
        "nlm_unique_id": text(medline.get("NlmUniqueID")),
        "issns": issns(journal, medline),
        "pub_date": pub_date,
        "pub_date_text": free_text,
        "year": first_year(pub_date or free_text),
        "article_date": next(iter(_iso_dates(article.get("ArticleDate") or [])), None),
        "completed_date": iso_date(citation.get("DateCompleted")),
        "revised_date": iso_date(citation.get("DateRevised")),
        "volume": text(issue.get("Volume")),
        "issue": text(issue.get("Issue")),
        "pages": pages(article.get("Pagination") or {}),
        "languages": texts(article.get("Language") or []),
    }


def _iso_dates(dates: list[Element]) -> Iterator[str]:
    return (date for date in map(iso_date, dates) if date)


def _is_retracted(citation: Element) -> bool:
    types = citation["Article"].get("PublicationTypeList") or []
    relations = citation.get("CommentsCorrectionsList") or []
    return any(
        type_.attributes.get("UI") == RETRACTED_PUBLICATION_UI or type_ == "Retracted Publication" for type_ in types
    ) or any(relation.attributes.get("RefType") == "RetractionIn" for relation in relations)
