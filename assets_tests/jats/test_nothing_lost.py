"""Nothing lost on real articles: an independent reading by plain itertext, held against the reader."""

import html
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from pmc_assets.jats.article import Article, read_article

HREF = "{http://www.w3.org/1999/xlink}href"
MATHML = "{http://www.w3.org/1998/Math/MathML}"
NOT_PROSE = {"fig", "table-wrap", "alt-text", "long-desc", "object-id", "supplementary-material", "media"}
INLINE = {"italic", "bold", "sup", "sub", "xref", "ext-link", "underline", "sc", "email", "uri", "styled-content"}
NO_MENTION = {"td", "th", "title", "label", "fig", "table-wrap"}
FORMULAS = {"inline-formula", "disp-formula", "math"}
JOINED = "\N{WORD JOINER}"
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


def figure_faults(root: etree._Element, article: Article) -> Iterator[tuple]:
    rows = [row for row in article.figures if row["kind"] in ("figure", "scheme")]
    figures = list(root.iter("fig"))
    if [f.get("id") for f in figures] != [row["figure_id"] for row in rows]:
        yield ("figures",)
        return
    for figure, row in zip(figures, rows, strict=True):
        own = [g for g in figure.iter("graphic") if next(g.iterancestors("fig")) is figure]
        hrefs = [g.get(HREF) for g in own if g.get(HREF)]
        if not set(hrefs) <= {graphic["graphic_ref"] for graphic in row["graphics"]}:
            yield row["figure_id"], "href", hrefs
        fault = caption_fault(figure.findall("caption"), row["caption"])
        if fault:
            yield row["figure_id"], fault, row["caption"]


def graphic_faults(root: etree._Element, article: Article) -> Iterator[tuple]:
    hrefs = sorted(g.get(HREF).strip() for g in root.iter("graphic", "inline-graphic") if g.get(HREF))
    kept = [graphic for row in article.figures for graphic in row["graphics"]]
    read = sorted(graphic["graphic_ref"] for graphic in kept if "graphic" in graphic["element"])
    if hrefs != read:
        yield hrefs, read


def body_faults(root: etree._Element, article: Article) -> Iterator[tuple]:
    """Compare the paragraphs that hold nothing but inline markup, in their order."""
    body = root.find("body")
    paragraphs = [] if body is None else list(body.iter("p"))
    expected = [
        " ".join(unicodedata.normalize("NFC", "".join(p.itertext())).split())
        for p in paragraphs
        if p.getparent().tag in ("sec", "body") and all(e.tag in INLINE for e in p.iterdescendants())
    ]
    read = iter([row["text"] for row in article.body_paragraphs])
    yield from ((text,) for text in filter(None, expected) if text not in read)


def mention_faults(root: etree._Element, article: Article) -> Iterator[tuple]:
    """Every paragraph whose own xrefs name a figure is a mention of that figure, once, with the pointer's text."""
    ids: dict[str | None, set[int]] = {f.get("id"): {number} for number, f in enumerate(root.iter("fig"))}
    for number, figure in enumerate(root.iter("fig")):
        if figure.getparent().tag == "fig-group" and figure.getparent().get("id"):
            ids.setdefault(figure.getparent().get("id"), set()).add(number)
        for graphic in figure.iter("graphic"):
            if graphic.get("id"):
                ids.setdefault(graphic.get("id"), set()).add(number)
    numbers = {paragraph: number for number, paragraph in enumerate(root.iter("p"))}
    expected = set()
    for xref in root.iter("xref"):
        named = [figure for rid in (xref.get("rid") or "").split() for figure in ids.get(rid, ())]
        if not named:
            continue
        above = list(xref.iterancestors())
        tags = [element.tag for element in above]
        if "p" in tags and not NO_MENTION & set(tags[: tags.index("p")]):
            expected |= {(numbers[above[tags.index("p")]], figure) for figure in named}
    figures = {row["figure_index"] for row in article.figures if row["kind"] in ("figure", "scheme")}
    direct = [m for m in article.mentions if not m["is_range_expanded"] and m["figure_index"] in figures]
    if len(direct) != len(expected):
        yield len(direct), len(expected)
    for mention in direct:
        span = mention["text"][mention["span_start"] : mention["span_end"]]
        if span != span.strip():
            yield (span,)


def affiliation_faults(root: etree._Element, article: Article) -> Iterator[tuple]:
    """A word of an affiliation is a word of the article: none is glued to its neighbour."""
    front = root.find("front")
    for inline in front.iter("sup", "bold", "italic", "email"):
        inline.text = f"{JOINED}{inline.text or ''}{JOINED}"
    printed = " ".join(front.itertext()).replace(f" {JOINED}", "").replace(f"{JOINED} ", "").replace(JOINED, "")
    words = set(re.findall(r"\w+", unicodedata.normalize("NFC", printed))) | set(
        re.findall(r"\w+", unicodedata.normalize("NFC", " ".join(front.itertext())))
    )
    for author in article.authors:
        for text in author["affiliations"]:
            glued = [word for word in re.findall(r"\w+", text) if word not in words]
            if glued or " ," in text:
                yield glued, text


RULES = {
    "every figure, caption word and href": figure_faults,
    "every graphic in some row": graphic_faults,
    "body words in reading order": body_faults,
    "mentions of their xrefs": mention_faults,
    "affiliations as printed": affiliation_faults,
}


@pytest.fixture(scope="module")
def faults(shared: Path) -> dict[str, list[tuple]]:
    """What each rule finds wrong, from one reading of every real article."""
    found: dict[str, list[tuple]] = {name: [] for name in RULES}
    for path in real_articles(shared):
        xml = path.read_bytes()
        root, article = independent_tree(xml), read_article(xml)
        for name, rule in RULES.items():
            found[name] += [(path.name, *fault) for fault in rule(root, article)]
    return found


@pytest.mark.mirror
@pytest.mark.parametrize("rule", RULES)
def test_nothing_of_real_articles_is_lost(faults: dict[str, list[tuple]], rule: str):
    assert not faults[rule], faults[rule][:5]
