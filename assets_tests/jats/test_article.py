import dataclasses
from pathlib import Path

import pytest
from jats_articles import NAMESPACES, article_xml, figure, read

from pmc_assets import schema
from pmc_assets.jats.article import Article, MalformedArticle, read_article
from pmc_assets.processes import process_pool

FROM_NLM = {"pmcid", "version", "pmid", "doi", "license_code", "is_retracted", "is_manuscript", "citation"}


def test_article_has_the_columns_of_the_table():
    columns = {field.name for field in schema.CORE_ARTICLES.columns} - FROM_NLM
    assert {f.name for f in dataclasses.fields(Article)} - {"figures", "mentions", "subcaptions"} == columns


def test_rows_fit_their_tables():
    caption = "<caption><p>(A) One. (B) Two.</p></caption>"
    article = read(
        figure(caption) + '<p><xref rid="F1">1</xref></p>', meta='<article-id pub-id-type="doi">10.1/x</article-id>'
    )
    key = {"pmcid": "PMC1", "version": 1}
    for table, rows in (
        (schema.CORE_FIGURES, article.figures),
        (schema.CORE_MENTIONS, article.mentions),
        (schema.CORE_SUBCAPTIONS, article.subcaptions),
    ):
        assert {*key, *rows[0]} == {field.name for field in table.columns}
        table.from_rows([key | row for row in rows]).validate(full=True)
    row = {
        name: getattr(article, name) for name in Article.__slots__ if name not in ("figures", "mentions", "subcaptions")
    }
    schema.CORE_ARTICLES.from_rows([key | row | {"is_retracted": False}]).validate(full=True)


@pytest.mark.parametrize(
    ("ids", "pmcid"),
    [
        ('<article-id pub-id-type="pmc">13900</article-id>', "PMC13900"),
        ('<article-id pub-id-type="pmc">PMC13900</article-id>', "PMC13900"),
        (
            '<article-id pub-id-type="pmcid">PMC13900</article-id><article-id pub-id-type="pmcaiid">7</article-id>',
            "PMC13900",
        ),
        ('<article-id pub-id-type="pmcid-ver">PMC13900.2</article-id>', "PMC13900"),
        ('<article-id pub-id-type="pmcaid">13900</article-id>', "PMC13900"),
        ('<article-id pub-id-type="publisher-id">x</article-id>', None),
    ],
)
def test_pmcid(ids: str, pmcid: str | None):
    assert read(meta=ids).xml_pmcid == pmcid


def test_every_id_is_kept():
    ids = {"pmid": "11250746", "doi": "10.1186/bcr272", "pmc": "13900", "publisher-id": "bcr-3-1-055"}
    meta = "".join(f'<article-id pub-id-type="{name}">{value}</article-id>' for name, value in ids.items())
    article = read(meta=meta)
    assert dict(article.article_ids) == ids
    assert (article.xml_pmid, article.xml_doi) == (11250746, "10.1186/bcr272")
    assert read().xml_pmid is None
    assert read(meta='<article-id pub-id-type="pmid">0</article-id>').xml_pmid is None


def test_ids_of_one_type_are_all_kept():
    """2698050364.xml: the doi of the work, then that of the version."""
    ids = '<article-id pub-id-type="doi">10.1/x</article-id><article-id pub-id-type="doi">10.1/x.2</article-id>'
    article = read(meta=ids)
    assert (article.article_ids, article.xml_doi) == ([("doi", "10.1/x 10.1/x.2")], "10.1/x")


def test_title_in_reading_order():
    title = "<title-group><article-title>The <italic>Na<sup>+</sup></italic>-pump<break/>of H<sub>2</sub>O</article-title></title-group>"
    assert read(meta=title).title == "The Na+-pump of H2O"


def test_structured_abstract():
    abstract = (
        "<abstract><title>Abstract</title><sec><title>Background</title><p>One.</p><p>Two.</p></sec>"
        "<sec><title>Results:</title><p>Three.</p></sec></abstract>"
        '<abstract abstract-type="graphical"><p>Seen.</p></abstract><trans-abstract xml:lang="fr"><p>Un.</p></trans-abstract>'
    )
    article = read(meta=abstract)
    assert article.abstract == "Background: One.\nTwo.\nResults: Three."
    assert article.other_abstracts == [{"abstract_type": "graphical", "language": None, "text": "Seen."}]
    assert article.translated_abstracts == [{"abstract_type": None, "language": "fr", "text": "Un."}]


def test_abstract_section_that_has_a_label_for_title():
    """043ee44024.xml"""
    abstract = "<abstract><title>ABSTRACT</title><sec><label>METHODS:</label><p>One.</p></sec></abstract>"
    assert read(meta=abstract).abstract == "METHODS: One."


@pytest.mark.parametrize(("language", "own"), [("EN", "en"), ("en", "en-US")])
def test_language_is_the_same_in_capitals_and_with_its_country(language: str, own: str):
    abstracts = f'<abstract xml:lang="pt"><p>Um.</p></abstract><abstract xml:lang="{own}"><p>One.</p></abstract>'
    body = figure(f'<caption xml:lang="pt"><p>Dois.</p></caption><caption xml:lang="{own}"><p>Two.</p></caption>')
    article = read(body, meta=abstracts, attributes=f'xml:lang="{language}"')
    assert (article.abstract, article.figures[0]["caption"]) == ("One.", "Two.")
    assert [row["text"] for row in article.translated_abstracts] == ["Um."]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("<day>9</day><month>3</month><year>2016</year>", "2016-03-09"),
        ("<month>3</month><year>2016</year>", "2016-03"),
        ("<month>Mar</month><year>2016</year>", "2016-03"),
        ("<season>Spring</season><year>2016</year>", "2016"),
        ("<day>31</day><month>2</month><year>2016</year>", "2016-02"),
        ("<day>1</day><month>13</month><year>2016</year>", "2016"),
        ("<day>1</day><year>2016</year>", "2016"),
        ("<month>3</month>", None),
        ("<month>Jan-Mar</month><year>2016</year>", "2016"),
        (f"<day>{'9' * 5000}</day><month>3</month><year>2016</year>", "2016-03"),
        (f"<month>{'9' * 5000}</month><year>2016</year>", "2016"),
    ],
)
def test_date_is_as_precise_as_stated(date: str, expected: str | None):
    assert read(meta=f'<pub-date pub-type="epub">{date}</pub-date>').epub_date == expected


@pytest.mark.parametrize(
    ("attributes", "column"),
    [
        ('pub-type="ppub"', "ppub_date"),
        ('pub-type="epub-ppub"', "epub_date"),
        ('date-type="pub" publication-format="electronic"', "epub_date"),
        ('date-type="pub" publication-format="print"', "ppub_date"),
        ('date-type="collection" publication-format="electronic"', "collection_date"),
    ],
)
def test_kind_of_date(attributes: str, column: str):
    article = read(meta=f"<pub-date {attributes}><year>2016</year></pub-date>")
    assert (getattr(article, column), article.year) == ("2016", 2016)


@pytest.mark.parametrize("attributes", ['date-type="original-publication"', 'pub-type="publication-year"'])
def test_year_of_the_original_publication(attributes: str):
    """2698050364.xml and ea7c0794d2.xml state no other date of publication."""
    article = read(meta=f"<pub-date {attributes}><year>2016</year></pub-date>")
    assert (article.year, article.epub_date) == (2016, None)


def test_two_keyword_groups():
    groups = (
        '<kwd-group kwd-group-type="author"><kwd>Cells</kwd><kwd><italic>E. coli</italic></kwd></kwd-group>'
        '<kwd-group xml:lang="fr"><title>Mots</title><compound-kwd><compound-kwd-part>A</compound-kwd-part>'
        "<compound-kwd-part>b</compound-kwd-part></compound-kwd></kwd-group>"
    )
    article = read(meta=groups)
    assert article.keywords == ["Cells", "E. coli", "A: b"]
    assert [(g["group_type"], g["language"]) for g in article.keyword_groups] == [("author", None), (None, "fr")]


def test_authors_with_orcid_and_affiliations():
    group = (
        '<contrib-group><contrib contrib-type="author"><contrib-id contrib-id-type="orcid">https://orcid.org/0000-0002-1825-0097'
        '</contrib-id><name><surname>Ng</surname><given-names>A. <!-- x -->B.</given-names></name><xref ref-type="aff" rid="a2 a1"/>'
        '</contrib><contrib contrib-type="author"><collab>The Group<contrib-group><contrib><name><surname>No</surname></name>'
        '</contrib></contrib-group></collab></contrib><contrib contrib-type="editor"><name><surname>Ed</surname></name></contrib>'
        "</contrib-group><aff id='a1'><label>1</label>One, <country>Peru</country></aff>"
        "<aff id='a2'><sup>2</sup><institution>Two</institution><country>Chile</country></aff>"
    )
    first, second = read(meta=group).authors
    assert first == {
        "surname": "Ng",
        "given_names": "A. B.",
        "orcid": "0000-0002-1825-0097",
        "affiliations": ["Two, Chile", "One, Peru"],
    }
    assert (second["surname"], second["given_names"]) == ("The Group", None)


@pytest.mark.parametrize(
    ("trait", "aff", "expected"),
    [
        (
            "parts that print their comma (057837ae6d.xml)",
            "<institution-wrap><institution-id>grid.4305.2</institution-id><institution>School of Physics, </institution>"
            "<institution>University of Edinburgh, </institution></institution-wrap>Edinburgh, UK",
            "School of Physics, University of Edinburgh, Edinburgh, UK",
        ),
        (
            "pretty-printed parts (1535908388.xml)",
            "\n<label>1</label>\n<institution>One</institution>\n<addr-line>\n<named-content>Rio</named-content>\n"
            "<named-content>RJ</named-content>\n</addr-line>\n<country>Brasil</country>\n",
            "One, Rio, RJ, Brasil",
        ),
        (
            "the whole beside its parts (043ee44024.xml)",
            '<label>I</label><institution content-type="original">One. Two, Rio, Brasil</institution>'
            '<institution content-type="orgname">One</institution><country>Brasil</country>',
            "One. Two, Rio, Brasil",
        ),
        (
            "bold number, blank before a comma, parts without space (2c40071113.xml, c7c4690e46.xml, PMC99002603.1)",
            "<bold>1</bold>One\n , <addr-line><named-content>Atlanta</named-content><named-content>GA</named-content></addr-line>"
            "<country>USA</country><email>a@b.org</email>",
            "One, Atlanta, GA, USA, a@b.org",
        ),
        (
            "text around the parts",
            "<sup>1</sup>At <institution>One</institution>, Rio (<country>BR</country>)",
            "At One, Rio (BR)",
        ),
        ("a carriage return", "One&#13;Two", "One Two"),
    ],
)
def test_affiliation_is_as_printed(trait: str, aff: str, expected: str):
    group = f"<contrib-group><contrib><name><surname>Ng</surname></name></contrib><aff>{aff}</aff></contrib-group>"
    assert read(meta=group).authors[0]["affiliations"] == [expected], trait


def test_affiliations_without_id_are_those_of_the_whole_group_alone():
    contrib, affs = "<contrib><name><surname>Ng</surname></name></contrib>", "<aff>Univ A</aff><aff>Univ B</aff>"
    inside = read(meta=f"<contrib-group>{contrib}{affs}</contrib-group>")
    assert inside.authors[0]["affiliations"] == ["Univ A", "Univ B"]
    beside = read(meta=f"<contrib-group>{contrib}</contrib-group>{affs}")
    assert beside.authors[0]["affiliations"] == []


def test_funding_statement():
    """17ff2835dc.xml names its funders in the statement alone."""
    statement = "<funding-group><funding-statement>By <italic>DFG</italic>.</funding-statement></funding-group>"
    article = read(meta=statement)
    assert (article.funding, article.funding_statement) == ([], "By DFG.")
    assert read().funding_statement is None


def test_funding():
    funding = (
        "<funding-group><award-group><funding-source><institution-wrap><institution>NIH</institution>"
        "<institution-id>x</institution-id></institution-wrap></funding-source><award-id>R01</award-id><award-id>R02</award-id>"
        "</award-group><award-group><funding-source>Trust</funding-source></award-group></funding-group>"
    )
    assert [(f["source"], f["award_id"]) for f in read(meta=funding).funding] == [
        ("NIH", "R01"),
        ("NIH", "R02"),
        ("Trust", None),
    ]


@pytest.mark.parametrize(
    ("license_", "code"),
    [
        ('<license xlink:href="https://creativecommons.org/licenses/by-nc/4.0/"/>', "CC BY-NC"),
        ("<license><ali:license_ref>http://creativecommons.org/licenses/by/4.0/</ali:license_ref></license>", "CC BY"),
        (
            '<license><license-p>See <ext-link xlink:href="http://creativecommons.org/licenses/by-nc-nd/3.0/">x</ext-link></license-p></license>',
            "CC BY-NC-ND",
        ),
        (
            "<license><license-p>the Creative Commons Attribution-NonCommercial-ShareAlike License</license-p></license>",
            "CC BY-NC-SA",
        ),
        ("<license><license-p>Creative Commons Attribution License</license-p></license>", "CC BY"),
        ('<license xlink:href="https://creativecommons.org/publicdomain/zero/1.0/"/>', "CC0"),
        (
            "<license><license-p>Creative Commons Public Domain declaration (21ebd3f49b.xml)</license-p></license>",
            "CC0",
        ),
        (
            '<license><license-p>Attribution (<ext-link xlink:href="http://creativecommons.org/licenses/by/4.0/">x</ext-link>); '
            'the waiver (<ext-link xlink:href="http://creativecommons.org/publicdomain/zero/1.0/">x</ext-link>) is for the data '
            "(0a50c70d27.xml)</license-p></license>",
            "CC BY",
        ),
        ("<license><license-p>CC BY NC 4.0</license-p></license>", "CC BY-NC"),
        ("<license><license-p>CC-BY–NC‑ND</license-p></license>", "CC BY-NC-ND"),
        ("<license><license-p>CC BY SA NC</license-p></license>", "CC BY-NC-SA"),
        ("<license><license-p>CC BY NC ND4.0</license-p></license>", "CC BY-NC-ND"),
        ("<license><license-p>CC BY NC/ND</license-p></license>", "CC BY-NC-ND"),
        ("<license><license-p>CC BY‒NC</license-p></license>", "CC BY-NC"),
        ("<license><license-p>CC BY Non-Commercial</license-p></license>", "CC BY-NC"),
        ("<license><license-p>CC BY - NC-IGO</license-p></license>", None),
        ("<license><license-p>CC BY-IGO</license-p></license>", None),
        ("<license><license-p>under CC BY—which permits</license-p></license>", "CC BY"),
        ("<license><license-p>CC BY–4.0</license-p></license>", "CC BY"),
        ("<license><license-p>CC0–1.0</license-p></license>", "CC0"),
        ("<license><license-p>CC BY, sample data</license-p></license>", "CC BY"),
        ("<license><license-p>Creative Commons Attribution 4.0 NonCommercial</license-p></license>", "CC BY-NC"),
        ("<license><license-p>Creative Commons Attribution-NC-ND</license-p></license>", "CC BY-NC-ND"),
        ("<license><license-p>Creative Commons Attribution-NonDerivatives</license-p></license>", "CC BY-ND"),
        (
            "<license><license-p>Creative Commons Attribution License, which permits non-commercial use</license-p></license>",
            "CC BY",
        ),
        (
            "<license><license-p>Creative Commons Attribution Non Commercial (CC BY-NC 4.0) license "
            "(860b925509.xml)</license-p></license>",
            "CC BY-NC",
        ),
        (
            "<license><license-p>Creative Commons Attribution-Noncommercial-Share Alike 3.0 (5bb6c61fbe.xml)"
            "</license-p></license>",
            "CC BY-NC-SA",
        ),
        (
            "<license><license-p>Creative Commons Attribution – NonCommercial-No Derivatives</license-p></license>",
            "CC BY-NC-ND",
        ),
        ("<license><license-p>All rights reserved.</license-p></license>", None),
        (
            '<license xlink:href="http://creativecommons.org/licenses/by/4.0/"/><license xlink:href="http://creativecommons.org/licenses/by-nc/4.0/"/>',
            None,
        ),
        ("", None),
    ],
)
def test_license_code(license_: str, code: str | None):
    assert read(meta=f"<permissions>{license_}</permissions>").xml_license_code == code


def test_license_url_that_the_text_alone_gives():
    """14eb32bd57.xml"""
    text = "Creative Commons Attribution 4.0 (http://creativecommons.org/licenses/by/4.0/), which permits"
    article = read(meta=f"<permissions><license><license-p>{text}</license-p></license></permissions>")
    assert article.license_url == "http://creativecommons.org/licenses/by/4.0/"


def test_related_articles_and_language():
    article = read(
        meta='<related-article related-article-type="retracted-article" ext-link-type="pmid" xlink:href="123"/>',
        attributes='xml:lang="pt" article-type="retraction"',
    )
    assert article.related_articles == [{"relation": "retracted-article", "id_type": "pmid", "id": "123"}]
    assert (article.language, article.article_type) == ("pt", "retraction")


def test_body_is_paragraphs_without_captions_and_tables():
    body = (
        f"<p>Zero.</p><sec><title>A</title><p>One {figure('<caption><p>No.</p></caption>')}goes on.</p>"
        "<table-wrap><caption><p>No.</p></caption><table><tr><td><p>No.</p></td></tr></table></table-wrap>"
        "<sec><title>B</title><list><list-item><label>1.</label><p>Two.</p></list-item></list>"
        "<p>Three<list><list-item><p>x</p></list-item></list></p></sec></sec>"
    )
    rest = "<sub-article><body><p>No.</p></body></sub-article>"
    rows = [(row["section_path"], row["text"]) for row in read(body, rest=rest).body_paragraphs]
    assert rows == [([], "Zero."), (["A"], "One goes on."), (["A", "B"], "1. Two."), (["A", "B"], "Three x")]


def test_dois_of_references_that_only_link():
    """17ff2835dc.xml links every doi, 0b8371fc57.xml some; 37faf7569f.xml ends its PMIDs with a stop."""
    refs = (
        "<ref><mixed-citation>A <ext-link ext-link-type='uri' xlink:href='http://dx.doi.org/10.1/a%3Cb'>x</ext-link></mixed-citation></ref>"
        "<ref><element-citation><pub-id pub-id-type='doi'>10.1/b</pub-id><pub-id pub-id-type='pmid'>12.</pub-id>"
        "<ext-link xlink:href='https://doi.org/10.1/other'/></element-citation></ref>"
        "<ref><mixed-citation><ext-link ext-link-type='doi' xlink:href='10.1/c'>x</ext-link></mixed-citation></ref>"
        "<ref><mixed-citation><ext-link xlink:href='http://example.org'>x</ext-link></mixed-citation></ref>"
        "<ref><mixed-citation><pub-id pub-id-type='pmid'>0</pub-id></mixed-citation></ref>"
    )
    article = read(rest=f"<back><ref-list>{refs}</ref-list></back>")
    assert (article.reference_dois, article.reference_pmids) == (["10.1/a<b", "10.1/b", "10.1/c"], [12])


def test_citation_in_running_text_is_no_reference():
    """15e2339273.xml"""
    citation = "<mixed-citation><pub-id pub-id-type='doi'>10.1/x</pub-id></mixed-citation>"
    assert read(f"<p>Now in {citation}</p>").reference_dois == []


def test_references_are_those_of_the_article_itself():
    refs = (
        "<ref-list><ref><element-citation><pub-id pub-id-type='pmid'>12</pub-id><pub-id pub-id-type='doi'>10.1/a</pub-id>"
        "</element-citation></ref><ref><mixed-citation>x</mixed-citation></ref></ref-list>"
    )
    article = read(rest=f"<back>{refs}</back><sub-article><back>{refs}</back></sub-article>")
    assert (article.reference_count, article.reference_pmids, article.reference_dois) == (2, [12], ["10.1/a"])


@pytest.mark.parametrize(
    "wrapper",
    [
        '<article xmlns="https://jats.nlm.nih.gov/ns/archiving/1.4/" {ns}>{inner}</article>',
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><record><metadata><article xmlns="https://jats.nlm.nih.gov/ns/archiving/1.4/" {ns}>{inner}</article></metadata></record></OAI-PMH>',
        "<pmc-articleset><article {ns}>{inner}</article></pmc-articleset>",
        '<j:article xmlns:j="http://dtd.nlm.nih.gov/2.0/xsd/archivearticle" {ns}>{inner}</j:article>',
    ],
)
def test_namespaces_and_wrappers_read_alike(wrapper: str):
    inner = article_xml(
        figure("<caption><p>One <inline-formula><mml:math><mml:mi>x</mml:mi></mml:math></inline-formula></p></caption>")
    )
    inner_text = inner.decode().split(">", 1)[1].rsplit("</article>", 1)[0]
    if "<j:" in wrapper:
        for name in (
            "front",
            "journal-meta",
            "article-meta",
            "body",
            "fig",
            "label",
            "caption",
            "p",
            "inline-formula",
            "graphic",
        ):
            inner_text = inner_text.replace(f"<{name}", f"<j:{name}").replace(f"</{name}", f"</j:{name}")
        inner_text = inner_text.replace("<j:p>", "<j:p>")
    wrapped = wrapper.replace("{ns}", NAMESPACES).replace("{inner}", inner_text).encode()
    assert read_article(wrapped).figures == read_article(inner).figures


def test_real_article_with_names_of_a_dtd(mirror: Path):
    """PMC99002329: &ast; and others are defined by the DTD alone."""
    article = read_article((mirror / "PMC99002329.1/PMC99002329.1.xml").read_bytes())
    assert not article.is_recovered
    assert len(article.figures) > 0


def test_batch_is_the_same_for_any_number_of_workers(shared: Path):
    xmls = [path.read_bytes() for path in sorted((shared / "jats").glob("*.xml"))[:40]]
    with process_pool(2) as pool:
        assert list(map(read_article, xmls)) == list(pool.map(read_article, xmls, chunksize=16))
        with pytest.raises(MalformedArticle) as spread:
            pool.submit(read_article, b"<broken").result()
    with pytest.raises(MalformedArticle) as alone:
        read_article(b"<broken")
    assert str(spread.value) == str(alone.value)
