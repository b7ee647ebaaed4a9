"""Rows of PubMed records against an independent reading of the same XML by XPath."""

import urllib.request
from pathlib import Path

import pytest
from fault_server import article, book, record_set
from lxml import etree

from pmc_assets.entrez.pubmed_xml import NEWEST_DTD, SHIPPED_DTDS, NotPubmedXml
from pmc_assets.entrez.records import parse_records
from pmc_assets.schema import CORE_PUBMED_RECORDS


def words(elements: list[etree._Element]) -> list[str]:
    return [" ".join("".join(e.itertext()).split()) for e in elements]


def independent(record: etree._Element) -> dict:
    """Read one record by XPath alone: counts and texts that do not share code with the package."""
    x = record.xpath
    relations = [e.get("RefType") for e in x("MedlineCitation/CommentsCorrectionsList/CommentsCorrections")]
    headings = x("MedlineCitation/MeshHeadingList/MeshHeading")
    types = words(x("MedlineCitation/Article/PublicationTypeList/PublicationType"))
    references = x("PubmedData/ReferenceList//Reference")
    stated = x("string(MedlineCitation/NumberOfReferences)")
    authors = x("MedlineCitation/Article/AuthorList/Author")
    return {
        "pmid": int(x("string(MedlineCitation/PMID)")),
        "title": (words(x("MedlineCitation/Article/ArticleTitle")) or [None])[0],
        "vernacular_title": (words(x("MedlineCitation/Article/VernacularTitle")) or [None])[0],
        "abstract": words(x("MedlineCitation/Article/Abstract/AbstractText")),
        "labels": [e.get("Label") for e in x("MedlineCitation/Article/Abstract/AbstractText")],
        "mesh": [words(h.xpath("DescriptorName"))[0] for h in headings],
        "mesh_major": [bool(h.xpath(".//*[@MajorTopicYN='Y']")) for h in headings],
        "qualifiers": [words(h.xpath("QualifierName")) for h in headings],
        "chemicals": words(x("MedlineCitation/ChemicalList/Chemical/NameOfSubstance")),
        "types": types,
        "keywords": words(x("MedlineCitation/KeywordList/Keyword")),
        "journal": (words(x("MedlineCitation/Article/Journal/Title")) or [None])[0],
        "ta": (words(x("MedlineCitation/MedlineJournalInfo/MedlineTA")) or [None])[0],
        "surnames": [words(a.xpath("LastName | CollectiveName"))[0] for a in authors],
        "affiliations": [words(a.xpath("AffiliationInfo/Affiliation")) for a in authors],
        "orcids": [a.xpath("string(Identifier[@Source='ORCID'])")[-19:] or None for a in authors],
        "grants": words(x("MedlineCitation/Article/GrantList/Grant/Agency")),
        "languages": words(x("MedlineCitation/Article/Language")),
        "references": [f"{e.get('IdType', 'pubmed')}:{e.text}" for r in references for e in r.xpath("*/ArticleId")],
        "reference_count": len(references) or (int(stated) if stated else None),
        "relations": relations,
        "is_retracted": "Retracted Publication" in types or "RetractionIn" in relations,
        "doi": x("string(PubmedData/ArticleIdList/ArticleId[@IdType='doi'])") or None,
        "pmcid": x("string(PubmedData/ArticleIdList/ArticleId[@IdType='pmc'])") or None,
        "year": x("string(MedlineCitation/Article/Journal/JournalIssue/PubDate/Year)"),
    }


def of_row(row: dict) -> dict:
    """Give the same things of a row of the package."""
    sections = row["abstract_sections"]
    return {
        **{name: row[name] for name in ("pmid", "title", "vernacular_title", "chemicals", "keywords", "languages")},
        **{name: row[name] for name in ("reference_count", "is_retracted", "pmcid")},
        "abstract": [section["text"] or "" for section in sections],
        "labels": [section["label"] for section in sections],
        "mesh": row["mesh_terms"],
        "mesh_major": [heading["is_major"] for heading in row["mesh_headings"]],
        "qualifiers": [heading["qualifiers"] for heading in row["mesh_headings"]],
        "types": row["publication_types"],
        "journal": row["journal_title"],
        "ta": row["nlm_ta"],
        "surnames": [author["surname"] for author in row["authors"]],
        "affiliations": [author["affiliations"] for author in row["authors"]],
        "orcids": [author["orcid"] for author in row["authors"]],
        "grants": [grant["source"] for grant in row["grants"]],
        "references": row["reference_ids"],
        "relations": [relation["relation"] for relation in row["comments_corrections"]],
    }


def test_every_real_record_equals_an_independent_reading(shared: Path) -> None:
    record_count = 0
    for path in sorted((shared / "entrez").glob("pubmed*.xml")):
        root = etree.fromstring(path.read_bytes())
        answer = parse_records(path.read_bytes())
        assert answer.rejects == []
        for record, row in zip(root.iterchildren("PubmedArticle"), answer.rows, strict=True):
            expected = independent(record)
            doi, year = expected.pop("doi"), expected.pop("year")
            assert of_row(row) == expected, path.name
            assert doi in (None, row["doi"])
            assert year in ("", str(row["year"]))
            record_count += 1
        CORE_PUBMED_RECORDS.from_rows([row | {"fetched_at": None} for row in answer.rows])
    assert record_count == 309


def test_the_baseline_file_in_numbers(shared: Path) -> None:
    rows = parse_records((shared / "entrez" / "pubmed20n0014.first300.xml").read_bytes()).rows
    assert len(rows) == len({row["pmid"] for row in rows}) == 300
    assert sum(row["pub_date_text"] is not None for row in rows) == 66
    assert all(row["year"] for row in rows)
    assert all(row["nlm_unique_id"] and row["completed_date"] and row["revised_date"] for row in rows)


def test_a_structured_abstract_with_markup_reads_as_text(shared: Path) -> None:
    (row,) = parse_records((shared / "entrez" / "pubmed5.xml").read_bytes()).rows
    assert row["abstract"].startswith("OBJECTIVES: Animal studies")
    assert "(ORQ3=4.15, 95% CI 1.56 to 11.01" in row["abstract"]
    assert "<sub" not in row["abstract"]
    assert row["abstract"].count("\n") == len(row["abstract_sections"]) - 1


@pytest.mark.parametrize(
    ("pub_date", "expected"),
    [
        ("<Year>2020</Year><Month>Feb</Month><Day>3</Day>", ("2020-02-03", None, 2020)),
        ("<Year>2020</Year><Month>12</Month>", ("2020-12", None, 2020)),
        ("<Year>2020</Year><Season>Fall</Season>", ("2020", "2020 Fall", 2020)),
        ("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", (None, "1998 Dec-1999 Jan", 1998)),
        ("<MedlineDate>Spring 97</MedlineDate>", (None, "Spring 97", None)),
    ],
)
def test_dates_are_as_precise_as_stated(pub_date: str, expected: tuple) -> None:
    xml = record_set(article(1).replace(b"<Year>2020</Year>", pub_date.encode()))
    (row,) = parse_records(xml).rows
    assert (row["pub_date"], row["pub_date_text"], row["year"]) == expected


def test_a_book_is_a_reject_and_costs_only_itself() -> None:
    answer = parse_records(record_set(article(1), book(2), article(3)))
    assert [row["pmid"] for row in answer.rows] == [1, 3]
    assert [(reject.reason, reject.name) for reject in answer.rejects] == [("record_is_book", "2")]


@pytest.mark.parametrize(
    "broken",
    [
        article(2).replace(b"A title", b"A & B <"),
        article(2).replace(b"A title", b"\xff\xfe"),
        article(2).replace(b"A title", b"\x01"),
        article(2).replace(b"</PubmedArticle>", b""),
        article(2).replace(b"<Journal>", b"<Journal><Journal/>"),
        article(2).replace(b"</MedlineCitation>", b""),
        article(2).replace(b"<Journal>", b"<NoJournal>").replace(b"</Journal>", b"</NoJournal>"),
    ],
    ids=["not well-formed", "no utf-8", "control character", "no end tag", "nested", "crossed tags", "no journal"],
)
def test_an_unreadable_record_costs_only_itself(broken: bytes) -> None:
    answer = parse_records(record_set(article(1), broken, book(4), article(3)))
    assert [row["pmid"] for row in answer.rows] == [1, 3]
    assert [(reject.reason, reject.name) for reject in answer.rejects] == [
        ("record_unreadable", "2"),
        ("record_is_book", "4"),
    ]


def test_of_two_versions_of_one_record_the_highest_counts() -> None:
    answer = parse_records(record_set(article(1, "second", version=2), article(1, "first", version=1)))
    assert [row["title"] for row in answer.rows] == ["second"]


@pytest.mark.parametrize(
    ("relation", "type_", "is_retracted"),
    [("RetractionIn", "", True), ("RetractionOf", "", False), ("", "D016441", True), ("CommentIn", "D016440", False)],
)
def test_retracted_is_the_article_not_its_notice(relation: str, type_: str, is_retracted: bool) -> None:
    xml = article(1).replace(b'UI="D016428"', f'UI="{type_}"'.encode())
    list_ = f'<CommentsCorrectionsList><CommentsCorrections RefType="{relation}"><RefSource>J. 2020</RefSource>'
    xml = xml.replace(
        b"</MedlineJournalInfo>",
        b"</MedlineJournalInfo>" + list_.encode() + b"</CommentsCorrections></CommentsCorrectionsList>",
    )
    (row,) = parse_records(record_set(xml)).rows
    assert row["is_retracted"] is is_retracted
    assert row["comments_corrections"] == [{"relation": relation, "id_type": "citation", "id": "J. 2020"}]


def test_an_author_with_everything() -> None:
    author = (
        "<AuthorList><Author><LastName>Müller</LastName><ForeName>Anna B</ForeName><Suffix>Jr</Suffix>"
        '<Identifier Source="ORCID">http://orcid.org/000000021825009x</Identifier><AffiliationInfo><Affiliation>'
        'Dept. of H<sub>2</sub>O &amp; Ice</Affiliation></AffiliationInfo></Author><Author ValidYN="N"><LastName>'
        "Muller</LastName></Author><Author><CollectiveName>The Group</CollectiveName></Author></AuthorList>"
    )
    (row,) = parse_records(record_set(article(1, body=author))).rows
    assert row["authors"] == [
        {
            "surname": "Müller",
            "given_names": "Anna B, Jr",
            "orcid": "0000-0002-1825-009X",
            "affiliations": ["Dept. of H2O & Ice"],
        },
        {"surname": "The Group", "given_names": None, "orcid": None, "affiliations": []},
    ]


@pytest.fixture
def no_downloads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record every download that Biopython tries."""
    tried: list[str] = []

    def refuse(url: str, *_: object, **__: object) -> None:
        tried.append(url)
        raise AssertionError(f"a download of {url}")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr("Bio.Entrez.Parser.urlopen", refuse)
    return tried


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2027//EN" '
        b'"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_270101.dtd">',
        b'<!DOCTYPE PubmedArticleSet SYSTEM "http://127.0.0.1:9/evil.dtd" [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
        b"",
    ],
    ids=["newer than shipped", "elsewhere, with entities", "none"],
)
def test_no_dtd_is_ever_downloaded(doctype: bytes, no_downloads: list[str]) -> None:
    record = article(7, "H<sub>2</sub>O", body="<NewIn2027>skipped<b>bold</b></NewIn2027>")
    xml = b'<?xml version="1.0" ?>' + doctype + b"<PubmedArticleSet>" + record + b"</PubmedArticleSet>"
    assert [row["title"] for row in parse_records(xml).rows] == ["H2O"]
    assert no_downloads == []


def test_no_schema_is_ever_downloaded(no_downloads: list[str]) -> None:
    xsi = (
        b'<PubmedArticleSet xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        b'xsi:noNamespaceSchemaLocation="https://www.ncbi.nlm.nih.gov/new.xsd">' + article(7) + b"</PubmedArticleSet>"
    )
    assert [row["pmid"] for row in parse_records(xsi).rows] == [7]
    assert no_downloads == []


def test_the_newest_dtd_is_shipped() -> None:
    assert (SHIPPED_DTDS / NEWEST_DTD).is_file()
    assert NEWEST_DTD >= "pubmed_250101.dtd"


def test_an_empty_set_is_no_rows() -> None:
    for xml in (b"<PubmedArticleSet></PubmedArticleSet>", b'<?xml version="1.0"?><PubmedArticleSet/>'):
        answer = parse_records(xml)
        assert (answer.rows, answer.rejects) == ([], [])


def test_pmc_articles_are_no_pubmed_records(shared: Path) -> None:
    with pytest.raises(NotPubmedXml, match="db=pubmed"):
        parse_records((shared / "entrez" / "efetch_pmc.xml").read_bytes())
