"""Hostile input ends in MalformedArticle, never in a crash, a hang, memory without bound, or a file that is read."""

import random
import resource
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jats_articles import article_xml, caption_of, figure, read

from pmc_assets.jats.article import MalformedArticle, read_article

BOMB = (
    b"<!DOCTYPE article [<!ENTITY a '%s'>" % (b"x" * 1000)
    + b"".join(b"<!ENTITY %c '%s'>" % (letter, b"&%c;" % (letter - 1) * 20) for letter in b"bcdefgh")
    + b"]><article><body><p>&h;</p></body></article>"
)
DEEP = b"<article><body>" + b"<sec>" * 100_000 + b"</sec>" * 100_000 + b"</body></article>"
WHOLE = article_xml(figure("<caption><p>One.</p></caption>"))


@pytest.mark.parametrize(
    ("trait", "xml"),
    [
        ("entity bomb", BOMB),
        (
            "quadratic entities",
            b"<!DOCTYPE a [<!ENTITY a '" + b"x" * 100_000 + b"'>]><article>" + b"&a;" * 10_000 + b"</article>",
        ),
        ("entity that names itself", b"<!DOCTYPE a [<!ENTITY a '&b;'><!ENTITY b '&a;'>]><article>&a;</article>"),
        ("nesting 100,000 deep", DEEP),
        ("attribute of 11 MB", b'<article id="' + b"x" * 11_000_000 + b'"/>'),
        ("truncated", WHOLE[: len(WHOLE) // 2]),
        ("mismatched tags", b"<article><body><p>One</body></article>"),
        ("wrong encoding", b'<?xml version="1.0" encoding="UTF-8"?><article>\xe9\xff</article>'),
        ("unknown encoding", b'<?xml version="1.0" encoding="x-none"?><article/>'),
        ("binary", bytes(range(256)) * 50),
        ("empty", b""),
        ("spaces", b"  \n "),
        ("null bytes", b"\0" * 100),
        ("HTML", b"<html><body><p>Not found</p></body></html>"),
        ("two articles", b"<set><article/><article/></set>"),
        ("unknown entity", b"<article><p>&nosuchname;</p></article>"),
        ("unknown entity beside a DTD", b'<!DOCTYPE article SYSTEM "x.dtd"><article><p>&nosuchname;</p></article>'),
    ],
)
def test_hostile_input_is_malformed(trait: str, xml: bytes):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    with pytest.raises(MalformedArticle) as refused:
        read_article(xml)
    assert 0 < len(str(refused.value)) < 1000, trait
    assert time.perf_counter() - started < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000


LABEL = f"<label>Figure {'9' * 5000}</label>"
MANY = 5_000
XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


@pytest.mark.parametrize(
    ("trait", "body"),
    [
        ("pointers that recur", "<p>" + 'e&#x301;<xref rid="F1"> 1 </xref>, 1 \n' * MANY + '1</p><fig id="F1"/>'),
        (
            "pointers of two texts",
            "<p>" + '<xref rid="F1">Figs 1</xref>–<xref rid="F1">2</xref> ' * MANY + '</p><fig id="F1"/>',
        ),
        ("figures of one id", '<p><xref rid="F1">x</xref></p>' * MANY + '<fig id="F1"/>' * MANY),
        (
            "authors and affiliations without pointers",
            "</body><front><article-meta><contrib-group>"
            + "<contrib><name><surname>x</surname></name></contrib>" * 4 * MANY
            + "".join(f'<aff id="a{n}">x{n}</aff>' for n in range(4 * MANY))
            + "</contrib-group></article-meta></front><body>",
        ),
        (
            "group of many figures",
            "<fig-group>" + "<fig/>" * MANY + '<graphic xlink:href="a"/>' * MANY + "</fig-group>",
        ),
        (
            "group in many languages",
            "<fig-group>" + "<fig xml:lang='en'><caption><p>x</p></caption></fig>" * MANY + "</fig-group>",
        ),
        ("documents in a formula", "<p><tex-math>" + r"\begin{document}" * 4 * MANY + "</tex-math></p>"),
        ("bold letters", "<fig><caption>" + "<p><bold>A</bold> One.</p>" * MANY + "</caption></fig>"),
        (
            "number without end",
            f'<p><xref rid="F1">1</xref>–<xref rid="F2">2</xref></p><fig id="F1">{LABEL}</fig><fig id="F2">{LABEL}</fig>',
        ),
    ],
)
def test_reading_takes_time_in_proportion(trait: str, body: str):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    article = read_article(f"<article {XLINK}><body>{body}</body></article>".encode())
    assert time.process_time() - started < 2, trait
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
    assert len(article.mentions) <= MANY


def test_many_articles_in_many_namespaces_are_refused_at_once():
    xml = "<x>" + "".join(f'<a:article xmlns:a="u{n}"/>' for n in range(MANY)) + "</x>"
    started = time.process_time()
    with pytest.raises(MalformedArticle, match="5000 article elements"):
        read_article(xml.encode())
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "declaration",
    ['SYSTEM "{url}"', 'PUBLIC "-//x" "{url}"', '[<!ENTITY e SYSTEM "{url}">]', '[<!ENTITY % e SYSTEM "{url}"> %e;]'],
)
def test_external_files_are_never_read(tmp_path: Path, declaration: str):
    secret = tmp_path / "secret"
    secret.write_text("<!ENTITY e 'SECRET'>")
    doctype = f"<!DOCTYPE article {declaration.replace('{url}', secret.as_uri())}>"
    for text in ("&e;", "plain"):
        try:
            article = read_article(f"{doctype}<article><body><p>{text}</p></body></article>".encode())
        except MalformedArticle as error:
            assert "SECRET" not in str(error)
        else:
            assert [row["text"] for row in article.body_paragraphs] == ["plain"]


def test_declared_entities_are_resolved():
    dtd = "<!DOCTYPE article [<!ENTITY kit 'RT<sup>2</sup>'>]>"
    article = read("<p>&kit; at 5&#xB0;</p>", dtd=dtd)
    assert article.body_paragraphs[0]["text"] == "RT2 at 5°"


def test_known_names_are_resolved_without_their_dtd():
    assert caption_of("<p>a&ast;b&nbsp;&mdash;&alpha;</p>") == "a*b —α"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_encodings(encoding: str):
    xml = f'<?xml version="1.0" encoding="{encoding}"?><article><body><p>né</p></body></article>'
    assert read_article(xml.encode(encoding)).body_paragraphs[0]["text"] == "né"


def test_prefix_without_declaration_is_recovered_and_flagged():
    article = read_article(b'<article><body><fig id="F1"><graphic xlink:href="a.jpg"/></fig></body></article>')
    assert article.is_recovered
    assert article.figures[0]["graphics"][0]["graphic_ref"] == "a.jpg"


@pytest.mark.parametrize("fault", ['<p id="a" id="b">x</p>', "<p><mml:mi>x</mml:mi></p>"])
@pytest.mark.parametrize("rest", [b"<p>y", b"<p>y</p>", b"<p>y</p></body>", b"<p>y</p></body></article><article>"])
def test_recovery_does_not_read_half_an_article(fault: str, rest: bytes):
    with pytest.raises(MalformedArticle):
        read_article(f"<article><body>{fault}".encode() + rest)
    whole = read_article(f"<article><body>{fault}<p>y</p></body></article>\n<!-- x -->\n".encode())
    assert (whole.is_recovered, whole.body_paragraphs[-1]["text"]) == (True, "y")


def test_names_in_cdata_and_comments_are_text():
    article = read("<p>a&nbsp;<![CDATA[&nbsp;&nosuchname;]]><!-- &nosuchname; --></p>")
    assert article.body_paragraphs[0]["text"] == "a &nbsp;&nosuchname;"


def test_deep_lists_and_sections_stay_small():
    deep = "<sec><title>T</title><p>x</p>" * 120 + "</sec>" * 120
    assert max(len(row["section_path"]) for row in read(deep).body_paragraphs) <= 40
    lists = "<list><list-item><p>y" * 70 + "</p></list-item></list>" * 70
    assert caption_of(f"<p>x{lists}</p>").split() == ["x"] + ["y"] * 70


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_survives_any_inline_markup(text: str, data: st.DataObject):
    """The caption of marked-up text is the text itself: no word glued, none parted."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    names = ("italic", "sup", "bold", "xref rid='F1'", "named-content", "sub")
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    escaped = [p.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for p in pieces]
    marked = "".join(
        f"<{n}>{p}</{n.split()[0]}>" if i % 2 else p for i, (p, n) in enumerate(zip(escaped, names * 2, strict=False))
    )
    plain, got = caption_of(f"<p>{''.join(escaped)}</p>"), caption_of(f"<p>{marked}</p>")
    assert got == plain


@given(
    st.recursive(
        st.sampled_from(["x", " ", "é", "&#xFDD0;", "&#xFDD1;", "1–2"]),
        lambda inner: st.tuples(
            st.sampled_from(
                [
                    "p",
                    "fig",
                    "caption",
                    "title",
                    "sec",
                    "list",
                    "list-item",
                    "label",
                    "xref",
                    "fig-group",
                    "alternatives",
                    "graphic",
                    "table-wrap",
                    "td",
                    "disp-formula",
                    "inline-formula",
                    "tex-math",
                    "boxed-text",
                    "media",
                    "break",
                    "sub-article",
                    "abstract",
                    "front",
                    "article-meta",
                    "contrib-group",
                    "contrib",
                    "name",
                    "aff",
                    "ref",
                    "pub-id",
                    "fn",
                    "def-item",
                    "term",
                    "alt-text",
                ]
            ),
            st.lists(inner, max_size=5),
        ),
        max_leaves=30,
    )
)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_arrangement_of_elements_is_read(tree):
    """Elements where no DTD lets them stand neither crash the reader nor lose a figure."""
    count = 0

    def written(node) -> str:
        nonlocal count
        if isinstance(node, str):
            return node
        name, children = node
        count += name == "fig"
        attributes = {"graphic": ' xlink:href="a"', "xref": ' rid="F1 F2"', "media": ' xlink:href="m"'}.get(
            name, ' id="F1"'
        )
        return f"<{name}{attributes}>{''.join(map(written, children))}</{name}>"

    article = read(written(tree))
    assert sum(row["kind"] in ("figure", "scheme") for row in article.figures) >= count
    for mention in article.mentions:
        assert 0 <= mention["span_start"] <= mention["span_end"] <= len(mention["text"])


def test_mutants_of_real_articles_are_read_or_refused(shared: Path):
    random_ = random.Random(7)
    paths = sorted((shared / "jats").glob("*.xml"), key=lambda path: path.stat().st_size)[:150]
    for path in random_.sample(paths, 100):
        xml = bytearray(path.read_bytes())
        for _ in range(3):
            start = random_.randrange(len(xml))
            xml[start : start + random_.choice((0, 1, 5, 60))] = random_.choice(
                (b"<", b">", b"&", b"<p>", b"</fig>", b"", b"\xff", b"<fig>")
            )
        try:
            read_article(bytes(xml))
        except MalformedArticle:
            continue
