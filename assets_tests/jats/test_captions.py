import pytest
from jats_articles import caption_of, figure, read

MATH = "<mml:math><mml:mrow><mml:mi>x</mml:mi>\n <mml:mo>=</mml:mo><mml:mn>2</mml:mn></mml:mrow></mml:math>"
TEX = r"<tex-math>\documentclass{minimal}\begin{document}$$x=2$$\end{document}</tex-math>"


@pytest.mark.parametrize(
    ("trait", "caption", "expected"),
    [
        ("plain", "<p>Cells.</p>", "Cells."),
        ("title and two paragraphs", "<title>Growth</title><p>One.</p><p>Two.</p>", "Growth One. Two."),
        ("nested inline markup", "<p><italic>Na<sup>+</sup>/K<sup>+</sup></italic>-ATPase</p>", "Na+/K+-ATPase"),
        ("subscript", "<p>IC<sub>50</sub> of H<sub>2</sub>O</p>", "IC50 of H2O"),
        ("markup apart by a space", "<p><bold>A</bold> <italic>B</italic></p>", "A B"),
        ("line break", "<p>One<break/>two</p>", "One two"),
        ("pretty-printed", "<title>\n  Growth\n</title>\n<p>\n  One\n  <bold>two</bold>.\n</p>", "Growth One two."),
        ("no-break and thin spaces", "<p>5&#xA0;mg&#x2009;kg</p>", "5 mg kg"),
        ("composed characters", "<p>e&#x301;</p>", "é"),
        (
            "list",
            "<p>Of:<list><list-item><p>one</p></list-item><list-item><p>two</p></list-item></list></p>",
            "Of: one two",
        ),
        (
            "blocks before a closing mark",
            "<p>Of<list><list-item><p>one</p></list-item></list>; and <disp-quote><p>two</p></disp-quote>.</p>",
            "Of one; and two.",
        ),
        (
            "definition that begins with its comma (74aa55e463.xml)",
            "<p><abbrev>A1<def><p>, antennule</p></def></abbrev>; <abbrev>A2<def><p>antenna</p></def></abbrev></p>",
            "A1, antennule; A2 antenna",
        ),
        (
            "list with a title",
            "<p>Of<list><title>Key</title><list-item><label>•</label><p>one</p></list-item></list></p>",
            "Of Key • one",
        ),
        (
            "list with labels beside a paragraph",
            "<p>Of</p><list><list-item><label>1.</label><p>one</p></list-item><list-item><p>two</p><p>b</p></list-item></list>",
            "Of 1. one two b",
        ),
        (
            "TeX beside MathML",
            f"<p>At <inline-formula><alternatives>{TEX}{MATH}</alternatives></inline-formula>.</p>",
            "At $$x=2$$.",
        ),
        (
            "MathML before TeX",
            f"<p>At <inline-formula><alternatives>{MATH}{TEX}</alternatives></inline-formula>.</p>",
            "At $$x=2$$.",
        ),
        ("MathML alone", f"<p>At <inline-formula>{MATH}</inline-formula>.</p>", "At x=2."),
        ("bare MathML", f"<p>At {MATH}!</p>", "At x=2!"),
        (
            "MathML with annotation",
            "<p><mml:math><mml:semantics><mml:mi>x</mml:mi><mml:annotation encoding='application/x-tex'>\\xi</mml:annotation></mml:semantics></mml:math></p>",
            "\\xi",
        ),
        (
            "MathML with other annotation",
            "<p><mml:math><mml:semantics><mml:mi>x</mml:mi><mml:annotation encoding='Mathematica'>q</mml:annotation></mml:semantics></mml:math></p>",
            "x",
        ),
        (
            "formula with picture",
            "<p>a <inline-formula><alternatives><inline-graphic xlink:href='e1.gif'><alt-text>eq</alt-text></inline-graphic><tex-math>y</tex-math></alternatives></inline-formula> b</p>",
            "a y b",
        ),
        (
            "display formula",
            "<p>a<disp-formula><tex-math>y</tex-math><label>(1)</label></disp-formula>, b</p>",
            "a y (1), b",
        ),
        ("formula of plain markup", "<p><inline-formula><italic>p</italic>&lt;0.05</inline-formula></p>", "p<0.05"),
        ("text outside any block", "One <bold>two</bold><p>three</p>", "One two three"),
        ("quoted paragraph", "<p>a</p><disp-quote><p>b</p><attrib>c</attrib></disp-quote>", "a b c"),
        ("comment and instruction", "<p>a<!-- no -->b<?page 2?>c</p>", "abc"),
        ("CDATA", "<p>a<![CDATA[<b>]]></p>", "a<b>"),
        ("index term", "<p>a<index-term><term>hidden</term></index-term>b</p>", "ab"),
        ("word joined across xref", "<p>(<xref rid='B1'>1</xref>,<xref rid='B2'>2</xref>)</p>", "(1,2)"),
        ("pointer to a figure in it", "<p>See <bold><xref rid='F1'>Fig. 1</xref></bold>.</p>", "See Fig. 1."),
        ("empty", "", ""),
        ("empty blocks", "<title/><p> </p>", ""),
    ],
)
def test_caption_text(trait: str, caption: str, expected: str):
    assert caption_of(caption) == expected, trait


def test_figure_without_caption_is_empty_wherever_it_stands():
    figures = read(figure("", attributes="") + figure("<caption><p>One.</p></caption>") + figure("", label="")).figures
    assert [(f["caption"], f["caption_title"], f["figure_id"], f["figure_label"]) for f in figures] == [
        ("", None, None, "Figure 1"),
        ("One.", None, "F1", "Figure 1"),
        ("", None, "F1", None),
    ]


def test_caption_title_is_apart_and_in_the_caption():
    row = read(figure("<caption><title>Gro<italic>w</italic>th</title><p>One.</p></caption>")).figures[0]
    assert (row["caption_title"], row["caption"]) == ("Growth", "Growth One.")


def test_translated_caption_is_apart():
    captions = '<caption><p>One.</p></caption><caption xml:lang="pt"><p>Um.</p></caption>'
    row = read(figure(captions), attributes='xml:lang="en"').figures[0]
    assert (row["caption"], row["language"]) == ("One.", "en")
    assert row["translated_captions"] == [{"language": "pt", "text": "Um."}]


def test_paragraphs_in_two_languages_are_two_captions():
    caption = '<caption><p xml:lang="es">Uno.</p><p xml:lang="en">One.</p></caption>'
    row = read(figure(caption), attributes='xml:lang="en"').figures[0]
    assert row["caption"] == "One."
    assert row["translated_captions"] == [{"language": "es", "text": "Uno."}]


def test_group_of_one_picture_with_captions_in_two_languages():
    """54143d8932.xml: the figures hold the captions, their group the graphic."""
    group = (
        '<fig-group id="f1"><fig xml:lang="pt"><label>Figura 1</label><caption><p>Um.</p></caption></fig>'
        '<fig xml:lang="en"><label>Figure 1</label><caption><p>One.</p></caption></fig>'
        '<alternatives><graphic xlink:href="a.tif"/><graphic xlink:href="a.jpg"/></alternatives></fig-group>'
    )
    first, second = read(group, attributes='xml:lang="pt"').figures
    assert (first["caption"], first["language"], len(first["graphics"])) == ("Um.", "pt", 2)
    assert first["translated_captions"] == [{"language": "en", "text": "One."}]
    assert (second["caption"], second["language"], second["graphics"]) == ("One.", "en", [])


def test_caption_of_a_nested_figure_is_not_mixed_in():
    inner = figure("<caption><p>Inner.</p></caption>", attributes='id="F2"')
    rows = read(figure(f"<caption><p>Outer {inner}goes on.</p></caption>")).figures
    assert [(row["figure_id"], row["caption"]) for row in rows] == [("F1", "Outer goes on."), ("F2", "Inner.")]
