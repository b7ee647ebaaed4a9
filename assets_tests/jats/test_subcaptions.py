import pytest
from jats_articles import figure, read


def parts(caption: str) -> list[tuple[str, str]]:
    article = read(figure(f"<caption>{caption}</caption>"))
    text = article.figures[0]["caption"]
    assert all(text[row["span_start"] : row["span_end"]] == row["text"] for row in article.subcaptions)
    return [(row["panel_id"], row["text"]) for row in article.subcaptions]


@pytest.mark.parametrize(
    ("trait", "caption", "expected"),
    [
        ("brackets", "<p>Cells. (A) One. (B) Two.</p>", [("A", "(A) One."), ("B", "(B) Two.")]),
        (
            "bold brackets",
            "<title>Cells</title><p>(<bold>a</bold>) One; (<bold>b</bold>) two.</p>",
            [("a", "(a) One;"), ("b", "(b) two.")],
        ),
        ("groups", "<p>(A, B) One. (C–E) Two.</p>", [("A, B", "(A, B) One."), ("C–E", "(C–E) Two.")]),
        ("commas", "<p><bold>a</bold>, One in b. <bold>b</bold>, Two.</p>", [("a", "a, One in b."), ("b", "b, Two.")]),
        ("half brackets", "<p>A) One. B) Two.</p>", [("A", "A) One."), ("B", "B) Two.")]),
        ("bold alone", "<p>Cells. <bold>A</bold> One. <bold>B</bold> Two.</p>", [("A", "A One."), ("B", "B Two.")]),
        ("paragraphs without stop", "<p>(A) One</p><p>(B) Two</p>", [("A", "(A) One"), ("B", "(B) Two")]),
        (
            "list with labels",
            "<list><list-item><label>(A)</label><p>One</p></list-item><list-item><label>(B)</label><p>Two</p></list-item></list>",
            [("A", "(A) One"), ("B", "(B) Two")],
        ),
        (
            "list numbered by letters (586ac3701b.xml)",
            '<p><list list-type="alpha-upper"><list-item><p>One.</p></list-item><list-item><p>Two.</p></list-item></list></p>',
            [("A", "One."), ("B", "Two.")],
        ),
        (
            "list with bare labels",
            "<list><list-item><label>A</label><p>One.</p></list-item><list-item><label>B</label><p>Two.</p></list-item></list>",
            [("A", "A One."), ("B", "B Two.")],
        ),
        (
            "lettered list whose items repeat words",
            '<list list-type="alpha-lower"><list-item><p>x x</p></list-item><list-item><p>x</p></list-item></list>',
            [("a", "x x"), ("b", "x")],
        ),
        (
            "list with numbers",
            "<list><list-item><label>1</label><p>One.</p></list-item><list-item><label>2</label><p>Two.</p></list-item></list>",
            [],
        ),
        (
            "several brackets for one part (2021639e87.xml)",
            "<p>(A) One. (B), (C): Two. (D) and (E) Three. (F)–(H) Four.</p>",
            [
                ("A", "(A) One."),
                ("B, C", "(B), (C): Two."),
                ("D and E", "(D) and (E) Three."),
                ("F–H", "(F)–(H) Four."),
            ],
        ),
        (
            "last part after and (ba4eb68b60.xml)",
            "<p>Steps: <bold>a</bold> one; <bold>b</bold> two; and <bold>c</bold> three</p>",
            [("a", "a one;"), ("b", "b two;"), ("c", "c three")],
        ),
        (
            "last bracket after and",
            "<p>(a) One; (b) two; and (c) three.</p>",
            [("a", "(a) One;"), ("b", "(b) two;"), ("c", "(c) three.")],
        ),
        ("last part names the next letter (d811761689.xml)", "<p>(a) One. (b) Two (c) three (d) four.</p>", []),
        ("letters after what they mark", "<p>Growth (A) and death (B) of cells.</p>", []),
        ("one letter", "<p>(A) One.</p>", []),
        ("no first letter", "<p>(B) One. (C) Two.</p>", []),
        ("a gap", "<p>(A) One. (C) Two.</p>", []),
        ("an article is no letter", "<p>Cells. A, to us, odd group. No more.</p>", []),
        ("no letters", "<p>Cells.</p>", []),
    ],
)
def test_parts(trait: str, caption: str, expected: list[tuple[str, str]]):
    assert parts(caption) == expected, trait


def test_group_of_letters_is_expanded():
    rows = read(figure("<caption><p>(A, B) One. (C–E) Two.</p></caption>")).subcaptions
    assert [row["panel_ids"] for row in rows] == [["A", "B"], ["C", "D", "E"]]


def test_range_among_letters_is_expanded():
    rows = read(figure("<caption><p>(A, B–D) One. (E to G and H) Two.</p></caption>")).subcaptions
    assert [row["panel_ids"] for row in rows] == [["A", "B", "C", "D"], ["E", "F", "G", "H"]]
