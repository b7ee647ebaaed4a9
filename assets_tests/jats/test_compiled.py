"""The compiled twins read every article as the functions in Python do, and nothing but the right lxml runs them."""

import dataclasses
import importlib
import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jats_articles import NAMESPACES, article_xml, figure
from lxml import etree

from pmc_assets.jats import article, compiled, subcaptions, text

PACKAGE = "pmc_assets.jats"
CAN_COMPILE = bool(shutil.which("cc")) and Path(sysconfig.get_path("include"), "Python.h").exists()
pytestmark = pytest.mark.skipif(compiled.native is None and not CAN_COMPILE, reason="no C compiler: nothing compiled")


def in_python() -> dict[str, ModuleType]:
    """Import the package anew as it is where nothing was compiled."""
    own = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith(PACKAGE)}
    sys.modules[f"{PACKAGE}.native"] = None  # type: ignore[assignment]
    try:
        names = ("article", "compiled", "subcaptions", "text")
        return {name: importlib.import_module(f"{PACKAGE}.{name}") for name in names}
    finally:
        for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
            del sys.modules[name]
        sys.modules.update(own)
        sys.modules["pmc_assets"].jats = own[PACKAGE]  # type: ignore[attr-defined]


PURE = in_python()


def record(read: Callable, xml: bytes) -> dict | str:
    try:
        return dataclasses.asdict(read(xml))
    except ValueError as error:
        assert type(error).__name__ == "MalformedArticle"
        return str(error)


def assert_read_the_same(xml: bytes) -> None:
    assert record(article.read_article, xml) == record(PURE["article"].read_article, xml)


def front_xml(*contributors: str) -> bytes:
    inner = "".join(f"<contrib>{each}</contrib>" for each in contributors)
    meta = f"<article-meta><contrib-group>{inner}</contrib-group></article-meta>"
    return f"<article {NAMESPACES}><front>{meta}</front></article>".encode()


def test_twins_are_compiled_where_a_compiler_is_at_hand():
    assert compiled.native is not None, "install the package anew: make env"
    assert PURE["compiled"].native is None
    assert text.text_of is compiled.native.text_of
    assert PURE["text"].text_of is not compiled.native.text_of


def test_real_articles_are_read_the_same(shared: Path):
    paths = [*shared.glob("jats/*.xml"), *shared.glob("pmc_mirror/bucket/**/*.xml")]
    assert len(paths) > 600
    for path in sorted(paths)[::3]:
        assert_read_the_same(path.read_bytes())


@pytest.mark.parametrize(
    ("trait", "xml"),
    [
        ("deep inline markup", article_xml("<p>x" + "<bold>y" * 200 + "</bold>" * 200 + "</p>")),
        ("deep sections", article_xml("<sec><title>T</title><p>x</p>" * 120 + "</sec>" * 120)),
        ("deep formula", article_xml("<p><mml:math>" + "<mml:mi> x" * 200 + "</mml:mi>" * 200 + "</mml:math></p>")),
        (
            "huge id",
            article_xml(
                f'<p><xref rid="{"F" * 9_000_000}">1</xref></p>' + figure("", attributes=f'id="{"F" * 9_000_000}"')
            ),
        ),
        (
            "ids of several words",
            article_xml('<p><xref rid="F0 F1">1</xref> <xref rid=" F1 ">2</xref></p>' + figure("")),
        ),
        (
            "id beyond ASCII",
            article_xml('<p><xref rid="F\u00e91">1</xref></p>' + figure("", attributes='id="F\u00e91"')),
        ),
        ("pointer without rid", article_xml("<p><xref>1</xref><xref rid=''>2</xref></p>" + figure(""))),
        (
            "rid and language by declaration",
            article_xml(
                "<p><xref>1</xref></p>" + figure("<caption><p>x</p></caption>"),
                dtd="<!DOCTYPE article [<!ATTLIST xref rid CDATA 'F1'><!ATTLIST fig xml:lang CDATA 'fr'>]>",
            ),
        ),
        ("declared entity in text", article_xml("<p>a&kit;b</p>", dtd="<!DOCTYPE a [<!ENTITY kit ' R<sup>2</sup>'>]>")),
        ("named characters", article_xml("<p>a&nbsp;&alpha;<![CDATA[ &nbsp; ]]>&thinsp;b</p>")),
        ("CDATA in a formula", article_xml("<p><mml:math><mml:mi> a <![CDATA[ b ]]> </mml:mi></mml:math></p>")),
        (
            "pointers in each other",
            article_xml('<p>1 <xref rid="F1"><xref rid="F1">1</xref></xref> 1</p>' + figure("")),
        ),
        (
            "pointer that recurs",
            article_xml('<p>a<xref rid="F1">aa</xref> é <xref rid="F1"> b </xref>b</p>' + figure("")),
        ),
        (
            "empty pointers",
            article_xml('<p><xref rid="F1"/> x <xref rid="F1"> </xref>y<xref rid="F1"/></p>' + figure("")),
        ),
        ("pointer with what NFC moves", article_xml('<p>e&#x301; <xref rid="F1">1</xref></p>' + figure(""))),
        ("marks of pointers", article_xml('<p>&#xFDD0;<xref rid="F1">1</xref>&#xFDD1; x</p>' + figure(""))),
        ("figure in hidden text", article_xml(figure(f"<alt-text><p>x{figure('')}</p></alt-text>"))),
        ("undeclared prefix", b'<article><body><fig id="F1"><graphic xlink:href="a"/></fig></body></article>'),
        ("default namespace", b'<article xmlns="urn:x"><body><sec><title>T</title><p>x</p></sec></body></article>'),
        ("sub-article", article_xml("<p>x</p>", rest="<sub-article><body><p>y</p></body></sub-article>")),
        ("comments and instructions", article_xml("<p>a<!-- b --> <?c d?>e</p>")),
        (
            "identifiers by declaration",
            article_xml(
                '<p>a <xref rid="F1">1</xref></p><sec><p>x</p><fig><caption><p>y</p></caption></fig></sec>',
                rest="<back><ref-list><ref><mixed-citation><pub-id>10.1/x</pub-id><ext-link>l</ext-link>"
                "</mixed-citation></ref></ref-list></back>",
                dtd="<!DOCTYPE article [<!ATTLIST fig id CDATA 'F1'><!ATTLIST sec xml:lang CDATA 'de'>"
                "<!ATTLIST pub-id pub-id-type CDATA 'doi'>]>",
            ),
        ),
        (
            "two addresses of one link",
            article_xml(
                "",
                rest='<back><ref-list><ref><mixed-citation><ext-link xmlns:a="urn:a" a:href="x" '
                'xlink:href="https://doi.org/10.1/x">l</ext-link></mixed-citation></ref></ref-list></back>',
            ),
        ),
        (
            "pointer in a row of its like",
            article_xml('<p>1, 1, <xref rid="F1">1</xref>, 1, 1, 1, 1, 1, 1</p>' + figure("")),
        ),
        (
            "group around the article",
            b'<fig-group xmlns:xlink="http://www.w3.org/1999/xlink"><article><graphic xlink:href="a"/></article>'
            b"</fig-group>",
        ),
        (
            "affiliation and language by declaration",
            b"<!DOCTYPE article [<!ATTLIST xref rid CDATA 'A1' ref-type CDATA 'aff'><!ATTLIST p xml:lang CDATA 'de'>]>"
            b"<article><front><article-meta><contrib-group><contrib><name><surname>S</surname></name><xref/></contrib>"
            b'<aff id="A1">I</aff><aff id="A2">J</aff></contrib-group></article-meta></front><body><fig id="F1">'
            b"<caption><title>T</title><p>x</p></caption></fig></body></article>",
        ),
        ("deep affiliation", front_xml("<aff>x" + "<addr-line>y<b/>" * 200 + "</addr-line>" * 200 + "</aff>")),
        (
            "contributors of every kind",
            front_xml(
                "<name-alternatives><name><surname>S</surname><suffix>Jr</suffix></name></name-alternatives>",
                "<name><prefix>Dr</prefix></name><name><surname>T</surname></name>",
                "<string-name>A <surname/><given-names>B</given-names></string-name>",
                "<collab>C <email>d</email></collab><contrib-id>https://orcid.org/0000-0001-2345-678x</contrib-id>",
                '<anonymous/><aff-alternatives><aff>I</aff><aff>J</aff></aff-alternatives><xref ref-type="fn" rid="A"/>',
                '<mml:name/><uri xlink:href="https://orcid.org/0000-0001-2345-6789"/><name><surname>U</surname></name>',
            ),
        ),
        ("block inside of a formula's text", article_xml("<tex-math><disp-formula>x</disp-formula></tex-math>")),
        ("two fronts", b"<article><front/><front><article-meta><volume>1</volume></article-meta></front></article>"),
    ],
)
def test_hostile_articles_are_read_the_same(trait: str, xml: bytes):
    assert_read_the_same(xml)


def test_places_that_no_text_has_begin_no_part():
    assert subcaptions.part_starts("abc def", [-(10**9), 2**63 - 1]) == ([], [])


def test_every_character_is_read_the_same():
    element = etree.Element("p")
    for code in range(0x20, 0x30000):
        if 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF):
            continue
        character = chr(code)
        element.text = f"{character}e{character}e {character} abcdefgh{character}{character} x{character}"
        assert text.text_of(element) == PURE["text"].text_of(element), hex(code)


_PIECES = st.text(st.sampled_from(" \n\t.abAB1()é\u00a0\u2009\u0301\u202f\u3000\ufdd0–µ\U0001d465,;"), max_size=20)


@given(st.lists(_PIECES, min_size=1, max_size=8), st.lists(st.integers(0, 7), max_size=3))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_the_same(pieces: list[str], starts: list[int]):
    element = etree.Element("p")
    element.text = pieces[0]
    for place, piece in enumerate(pieces[1:]):
        inner = etree.SubElement(element if place % 3 else element[-1] if len(element) else element, "bold")
        inner.text, inner.tail = piece, piece[::-1]
    got = text.text_of(element)
    assert got == PURE["text"].text_of(element) == PURE["text"].paragraph_text_of(element)
    starts = [start for start in starts if start < len(got)]
    assert subcaptions.part_starts(got, starts) == PURE["subcaptions"].part_starts(got, starts)


_NAMES = (
    *("p", "fig", "caption", "title", "sec", "list", "list-item", "label", "xref", "fig-group", "alternatives"),
    *("graphic", "table-wrap", "td", "disp-formula", "inline-formula", "tex-math", "mml:math", "boxed-text", "media"),
    *("break", "sub-article", "abstract", "back", "ref-list", "ref", "mixed-citation", "pub-id", "ext-link", "fn"),
    *("def-item", "term", "alt-text", "bold", "front", "article-meta", "contrib-group", "contrib", "name", "aff"),
)
_ATTRIBUTES = {
    "graphic": 'xlink:href="a"',
    "media": 'xlink:href="m"',
    "xref": 'rid="F1 F2"',
    "pub-id": 'pub-id-type="doi"',
    "ext-link": 'xlink:href="https://doi.org/10.1/x"',
    "sec": 'xml:lang="fr"',
}


def written(node: str | tuple) -> str:
    if isinstance(node, str):
        return node
    name, children = node
    return f"<{name} {_ATTRIBUTES.get(name, 'id=' + repr('F1'))}>{''.join(map(written, children))}</{name}>"


@given(
    st.recursive(
        st.sampled_from(["x", " ", "é", "e&#x301;", "&#xA0;", "(A) ", ". ", "1–2", ","]),
        lambda inner: st.tuples(st.sampled_from(_NAMES), st.lists(inner, max_size=5)),
        max_leaves=40,
    )
)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_arrangement_of_elements_is_read_the_same(tree: str | tuple):
    assert_read_the_same(f"<article {NAMESPACES}><front/><body>{written(tree)}</body></article>".encode())


_PRINTED = (
    "label",
    "institution",
    "institution-wrap",
    "institution-id",
    "addr-line",
    "sup",
    "bold",
    "italic",
    "xref",
    "country",
)


@given(
    st.recursive(
        st.sampled_from(["University", " ", ", ", "1", "é", "(", "x ", "\n"]),
        lambda inner: st.tuples(st.sampled_from(_PRINTED), st.lists(inner, max_size=4)),
        max_leaves=25,
    )
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_affiliation_is_read_the_same(tree: str | tuple):
    name = "<name><surname>S</surname></name>"
    assert_read_the_same(front_xml(f"{name}<aff>{written(tree)}</aff>", f"{name}<aff>a{written(tree)}b</aff>"))


_LABELS = ("Fig 1", "1", "2A", "", "Figure 10", "1-3", "Figs 1 to 3", "S2")
_AFTER = (
    ", ",
    " and ",
    "-",
    " \u2013 ",
    " to ",
    "~",
    " until ",
    "\u2212",
    ")-(",
    "-3",
    " through Fig. 3 ",
    " ",
    " to 4.",
)


@given(st.lists(st.tuples(st.sampled_from(_LABELS), st.sampled_from(_AFTER)), max_size=6))
@settings(max_examples=200, deadline=None)
def test_any_row_of_pointers_is_read_the_same(pointers: list[tuple[str, str]]):
    text = "".join(f'<xref rid="F{place % 4}">{label}</xref>{after}' for place, (label, after) in enumerate(pointers))
    figures = "".join(figure("", label=f"<label>Fig {n}</label>", attributes=f'id="F{n}"') for n in range(6))
    assert_read_the_same(article_xml(f"<p>{text}</p>{figures}"))


def test_another_lxml_runs_without_twins(monkeypatch: pytest.MonkeyPatch):
    """The structs of another lxml may differ: the compiled module refuses, and the package reads without it."""
    monkeypatch.setattr(etree, "__version__", "0.0.0")
    with pytest.raises(ImportError, match="compiled for lxml"):
        compiled.native._require_same_lxml()


def test_what_is_no_element_is_refused():
    for value in (None, "x", etree.ElementTree(etree.Element("p"))):
        with pytest.raises(TypeError):
            compiled.native.text_of(value)
