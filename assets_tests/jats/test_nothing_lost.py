"""Nothing lost on real articles: an independent reading by plain itertext, held against the reader."""

import html
import re
import unicodedata
from pathlib import Path

import pytest
from lxml import etree

from pmc_assets.jats.article import read_article

HREF = "{http://www.w3.org/1999/xlink}href"
MATHML = "{http://www.w3.org/1998/Math/MathML}"
NOT_PROSE = {"fig", "table-wrap", "alt-text", "long-desc", "object-id", "supplementary-material", "media"}
FORMULAS = {"inline-formula", "disp-formula", "math"}
FORMULA = "\N{OBJECT REPLACEMENT CHARACTER}"


def independent_tree(xml: bytes) -> etree._Element:
    named = re.sub(
        rb"&([A-Za-z]\w*);",
        lambda m: (
            m[0]
            if m[1] in (b"amp", b"lt", b"gt", b"quot", b"apos")
            else html.unescape(m[0].decode()).encode("ascii", "xmlcharrefreplace")
        ),
        xml,
    )
    return etree.fromstring(named, etree.XMLParser(remove_comments=True, remove_pis=True))


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


def letters(text: str) -> str:
    return unicodedata.normalize("NFC", "".join(text.split()))


def plain(element: etree._Element, *, is_top: bool = True) -> str:
    """All text below an element, without nested figures, with one character in place of each formula."""
    if not is_top and local(element) in NOT_PROSE:
        return " " + (element.tail or "")
    if not is_top and local(element) in FORMULAS and next(element.iter(f"{MATHML}math", "tex-math"), None) is not None:
        return FORMULA + (element.tail or "")
    parts = [element.text or ""] + [plain(child, is_top=False) for child in element]
    return "".join(parts) + ("" if is_top else element.tail or "")


def caption_fault(captions: list[etree._Element], caption: str) -> str:
    """Name what of the caption elements is not in the caption read; "" if every word is there, in order."""
    blocks = [block for element in captions for block in element]
    is_plain = all(local(b) in ("p", "title") for b in blocks) and not any(
        local(e) in ("p", "list", "fig", "break", *NOT_PROSE, *FORMULAS) for b in blocks for e in b.iterdescendants()
    )
    expected = unicodedata.normalize("NFC", " ".join(map(plain, blocks)))
    if is_plain:
        return "" if " ".join(expected.split()) == caption else expected
    rest = letters(caption)
    for piece in map(letters, expected.split(FORMULA)):
        _, found, rest = rest.partition(piece) if piece else ("", "found", rest)
        if not found:
            return piece
    return "" if FORMULA in expected or not rest else rest


def real_articles(shared: Path) -> list[Path]:
    return sorted((shared / "jats").glob("*.xml")) + sorted((shared / "pmc_mirror/bucket").glob("PMC*/*.xml"))


@pytest.mark.mirror
def test_every_figure_caption_word_and_href_of_real_articles_is_kept(shared: Path):
    faults = []
    for path in real_articles(shared):
        xml = path.read_bytes()
        root = independent_tree(xml)
        article = read_article(xml)
        rows = [row for row in article.figures if row["kind"] in ("figure", "scheme")]
        figures = list(root.iter("fig"))
        if [f.get("id") for f in figures] != [row["figure_id"] for row in rows]:
            faults.append((path.name, "figures"))
            continue
        for figure, row in zip(figures, rows, strict=True):
            own = [g for g in figure.iter("graphic") if next(g.iterancestors("fig")) is figure]
            hrefs = [g.get(HREF) for g in own if g.get(HREF)]
            if not set(hrefs) <= {graphic["graphic_ref"] for graphic in row["graphics"]}:
                faults.append((path.name, row["figure_id"], "href", hrefs))
            fault = caption_fault(figure.findall("caption"), row["caption"])
            if fault:
                faults.append((path.name, row["figure_id"], fault, row["caption"]))
    assert not faults, faults[:5]


@pytest.mark.mirror
def test_every_graphic_of_real_articles_is_in_some_row(shared: Path):
    for path in real_articles(shared):
        xml = path.read_bytes()
        hrefs = sorted(g.get(HREF) for g in independent_tree(xml).iter("graphic", "inline-graphic") if g.get(HREF))
        kept = [g["graphic_ref"] for row in read_article(xml).figures for g in row["graphics"]]
        read = sorted(
            g["graphic_ref"] for row in read_article(xml).figures for g in row["graphics"] if "graphic" in g["element"]
        )
        assert [h.strip() for h in hrefs] == read, (path.name, len(kept))


@pytest.mark.mirror
def test_body_words_of_real_articles_are_in_reading_order(shared: Path):
    """Words of body paragraphs that hold nothing but inline markup, read independently."""
    inline = {"italic", "bold", "sup", "sub", "xref", "ext-link", "underline", "sc", "email", "uri", "styled-content"}
    for path in real_articles(shared)[::4]:
        xml = path.read_bytes()
        body = independent_tree(xml).find("body")
        if body is None:
            continue
        expected = [
            " ".join(unicodedata.normalize("NFC", "".join(p.itertext())).split())
            for p in body.iter("p")
            if p.getparent().tag in ("sec", "body") and all(e.tag in inline for e in p.iterdescendants())
        ]
        read = iter([row["text"] for row in read_article(xml).body_paragraphs])
        for text in filter(None, expected):
            assert text in read, (path.name, text[:80])


@pytest.mark.mirror
def test_mentions_of_real_articles_are_those_of_their_xrefs(shared: Path):
    """Every paragraph whose own xrefs name a figure is a mention of that figure, once, with the pointer's text."""
    for path in real_articles(shared):
        xml = path.read_bytes()
        article = read_article(xml)
        root = independent_tree(xml)
        ids = {f.get("id"): {number} for number, f in enumerate(root.iter("fig"))}
        for number, figure in enumerate(root.iter("fig")):
            if figure.getparent().tag == "fig-group" and figure.getparent().get("id"):
                ids.setdefault(figure.getparent().get("id"), set()).add(number)
            for graphic in figure.iter("graphic"):
                if graphic.get("id"):
                    ids.setdefault(graphic.get("id"), set()).add(number)
        expected = set()
        for number, paragraph in enumerate(root.iter("p")):
            for xref in paragraph.iter("xref"):
                if next(xref.iterancestors("p")) is not paragraph:
                    continue
                cut = {"td", "th", "title", "label", "fig", "table-wrap"}
                between = [a.tag for a in xref.iterancestors()]
                if cut & set(between[: between.index("p")]):
                    continue
                rids = (xref.get("rid") or "").split()
                expected |= {(number, figure) for rid in rids for figure in ids.get(rid, ())}
        figures = {row["figure_index"] for row in article.figures if row["kind"] in ("figure", "scheme")}
        direct = [m for m in article.mentions if not m["is_range_expanded"] and m["figure_index"] in figures]
        assert len(direct) == len(expected), path.name
        for mention in direct:
            span = mention["text"][mention["span_start"] : mention["span_end"]]
            assert span == span.strip(), path.name
