import pytest
from jats_articles import figure, read

FIGURES = "".join(figure("", label=f"<label>Figure {n}</label>", attributes=f'id="F{n}"') for n in range(1, 6))


def mentions(paragraph: str, **parts: str) -> list[tuple[str, str, bool]]:
    article = read(f"<sec><title>Results</title>{paragraph}</sec>{FIGURES}", **parts)
    ids = {row["figure_index"]: row["figure_id"] for row in article.figures}
    return [
        (ids[m["figure_index"]], m["text"][m["span_start"] : m["span_end"]], m["is_range_expanded"])
        for m in article.mentions
    ]


@pytest.mark.parametrize(
    ("trait", "paragraph", "expected"),
    [
        ("plain", '<p>See <xref ref-type="fig" rid="F1">Fig. 1</xref>.</p>', [("F1", "Fig. 1", False)]),
        ("in bold", '<p>See <bold>(<xref rid="F1">Fig. 1</xref>)</bold>.</p>', [("F1", "Fig. 1", False)]),
        ("in sup", '<p>x<sup><xref rid="F2"><italic>2</italic></xref></sup></p>', [("F2", "2", False)]),
        (
            "several rids",
            '<p><xref rid="F1 F3">Figs 1, 3</xref></p>',
            [("F1", "Figs 1, 3", False), ("F3", "Figs 1, 3", False)],
        ),
        ("once per figure", '<p>(<xref rid="F1">1A</xref>) and (<xref rid="F1">1B</xref>)</p>', [("F1", "1A", False)]),
        (
            "range of two pointers",
            '<p><xref rid="F2">Figs 2</xref>–<xref rid="F4">4</xref></p>',
            [("F2", "Figs 2", False), ("F3", "Figs 2–4", True), ("F4", "4", False)],
        ),
        (
            "range in words, in bold",
            '<p><bold><xref rid="F2">Figs 2</xref></bold> to <bold><xref rid="F4">4</xref></bold></p>',
            [("F2", "Figs 2", False), ("F3", "Figs 2 to 4", True), ("F4", "4", False)],
        ),
        (
            "range in one pointer",
            '<p><xref rid="F2 F4">Figs 2–4</xref></p>',
            [("F2", "Figs 2–4", False), ("F3", "Figs 2–4", True), ("F4", "Figs 2–4", False)],
        ),
        (
            "range of which only the first is named",
            '<p><xref rid="F2">Figs 2-4</xref></p>',
            [("F2", "Figs 2-4", False), ("F3", "Figs 2-4", True), ("F4", "Figs 2-4", True)],
        ),
        (
            "range before a full stop",
            '<p><xref rid="F2">Figs 2</xref>–4.</p>',
            [("F2", "Figs 2", False), ("F3", "Figs 2–4", True), ("F4", "Figs 2–4", True)],
        ),
        (
            "range in one pointer beside another pointer",
            '<p><xref rid="F1">Figs 1–3</xref> and <xref rid="F5">5</xref></p>',
            [("F1", "Figs 1–3", False), ("F2", "Figs 1–3", True), ("F3", "Figs 1–3", True), ("F5", "5", False)],
        ),
        (
            "two ranges in one pointer",
            '<p><xref rid="F1 F4">Figs 1–2 and 4–5.</xref></p>',
            [
                ("F1", "Figs 1–2 and 4–5.", False),
                ("F2", "Figs 1–2 and 4–5.", True),
                ("F4", "Figs 1–2 and 4–5.", False),
                ("F5", "Figs 1–2 and 4–5.", True),
            ],
        ),
        (
            "range whose end repeats the word",
            '<p><xref rid="F2">Fig. 2</xref>–Fig. <xref rid="F4">4</xref></p>',
            [("F2", "Fig. 2", False), ("F3", "Fig. 2–Fig. 4", True), ("F4", "4", False)],
        ),
        (
            "printed numbers are not those of the figures (ff7d141493.xml)",
            '<p><xref rid="F1">Figs 4</xref>–<xref rid="F5">5</xref></p>',
            [("F1", "Figs 4", False), ("F5", "5", False)],
        ),
        (
            "panels are no range",
            '<p><xref rid="F2">Fig. 2A</xref>–<xref rid="F2">C</xref></p>',
            [("F2", "Fig. 2A", False)],
        ),
        (
            "a list is no range",
            '<p><xref rid="F1">1</xref>, <xref rid="F3">3</xref></p>',
            [("F1", "1", False), ("F3", "3", False)],
        ),
        ("white space", '<p>\n  See\n <xref rid="F1"> Fig.\n 1 </xref>\n.</p>', [("F1", "Fig. 1", False)]),
        ("after a composed character", '<p>e&#x301; <xref rid="F1">Fig. 1</xref></p>', [("F1", "Fig. 1", False)]),
        ("empty pointer", '<p>See<xref rid="F1"/> this</p>', [("F1", "", False)]),
        (
            "pointer in a pointer",
            '<p><xref rid="F1">Fig. <xref rid="F2">2</xref></xref></p>',
            [("F1", "Fig. 2", False), ("F2", "2", False)],
        ),
        (
            "in a list",
            '<list><list-item><p>x <xref rid="F1">Fig. 1</xref></p></list-item></list>',
            [("F1", "Fig. 1", False)],
        ),
        ("unknown figure", '<p><xref rid="F9">Fig. 9</xref></p>', []),
        ("literature", '<p><xref ref-type="bibr" rid="B1">1</xref></p>', []),
    ],
)
def test_mention(trait: str, paragraph: str, expected: list):
    assert mentions(paragraph) == expected, trait


@pytest.mark.parametrize("label", ["Figure S{}", "S{} Fig", "S{} Fig."])
@pytest.mark.parametrize(
    "pointer",
    [
        '<xref rid="S1">Figs S1</xref>–<xref rid="S3">S3</xref>',
        '<xref rid="S1">Figs S1–S3</xref>',
        '<xref rid="S1 S3">S1–S3 Figs</xref>',
        '<xref rid="S1">Fig. S1</xref>–S3.',
    ],
)
def test_range_of_supplementary_figures(label: str, pointer: str):
    """21ebd3f49b.xml: Figures S1–S3."""
    own = "".join(figure("", label=f"<label>{label.format(n)}</label>", attributes=f'id="S{n}"') for n in range(1, 5))
    article = read(f"<p>{pointer}</p>{FIGURES}{own}")
    assert [article.figures[m["figure_index"]]["figure_id"] for m in article.mentions] == ["S1", "S2", "S3"]


def test_range_stays_in_its_own_sub_article():
    def translation(name: str) -> str:
        own = "".join(figure("", label=f"<label>Figura {n}</label>", attributes=f'id="{name}{n}"') for n in (1, 2, 3))
        pointer = f'<p><xref rid="{name}1">Figs 1</xref>–<xref rid="{name}3">3</xref></p>'
        return f"<sub-article><body>{pointer}{own}</body></sub-article>"

    article = read(FIGURES, rest=translation("a") + translation("b"))
    ids = [article.figures[m["figure_index"]]["figure_id"] for m in article.mentions]
    assert ids == ["a1", "a2", "a3", "b1", "b2", "b3"]


def test_id_that_is_given_twice_names_the_first_figure():
    article = read('<p><xref rid="F1">1</xref></p>' + figure("") + figure(""))
    assert [m["figure_index"] for m in article.mentions] == [0]


def test_pointers_of_a_long_paragraph_have_their_places():
    paragraph = "e&#x301; <xref rid='F1'> Fig. 1 </xref>, not <xref rid='F2'>2</xref> \n " * 40
    article = read(f"<p>2 {paragraph}2</p>{FIGURES}")
    assert [m["text"][m["span_start"] : m["span_end"]] for m in article.mentions] == ["Fig. 1", "2"]
    assert article.mentions[1]["text"][: article.mentions[1]["span_end"]] == "2 é Fig. 1 , not 2"


def test_mention_has_the_paragraph_and_its_section():
    paragraph = '<p>H<sub>2</sub>O, see <xref rid="F1">Fig. 1</xref>; then on.</p>'
    article = read(f"<sec><title>Results</title>{paragraph}</sec>{FIGURES}")
    (mention,) = article.mentions
    assert mention["text"] == "H2O, see Fig. 1; then on." == article.body_paragraphs[0]["text"]
    assert mention["section_path"] == ["Results"]


def test_mentions_of_one_figure_are_numbered_in_order():
    body = '<p>a <xref rid="F1">1</xref></p><p>b <xref rid="F2">2</xref></p><p>c <xref rid="F1">1</xref></p>'
    rows = [(m["figure_index"], m["mention_index"], m["text"]) for m in read(body + FIGURES).mentions]
    assert rows == [(0, 0, "a 1"), (0, 1, "c 1"), (1, 0, "b 2")]


def test_innermost_paragraph_is_the_mention():
    body = (
        '<p>outer <xref rid="F1">1</xref><list><list-item><p>inner <xref rid="F2">2</xref></p></list-item></list></p>'
    )
    rows = read(body + FIGURES).mentions
    assert [(m["text"], m["text"][m["span_start"] : m["span_end"]]) for m in rows] == [
        ("outer 1 inner 2", "1"),
        ("inner 2", "2"),
    ]


def test_caption_that_points_at_another_figure_is_a_mention():
    body = figure('<caption><p>As in <xref rid="F1">Fig. 1</xref>.</p></caption>', attributes='id="F0"') + FIGURES
    article = read(body)
    assert [m["text"] for m in article.mentions] == ["As in Fig. 1."]
    assert article.figures[0]["caption"] == "As in Fig. 1."


def test_group_is_mentioned_through_its_members():
    members = figure("", attributes='id="A"') + figure("", attributes='id="B"')
    group = f"<fig-group id='G'>{members}</fig-group>"
    rows = read('<p><xref rid="G">Fig. 1</xref></p>' + group).mentions
    assert [m["figure_index"] for m in rows] == [0, 1]
