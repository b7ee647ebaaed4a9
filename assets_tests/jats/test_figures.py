import pytest
from jats_articles import GRAPHIC, figure, read

from pmc_assets.jats.article import read_graphics
from pmc_assets.schema import FIGURE_KINDS

CAPTION = "<caption><p>One.</p></caption>"


def refs(row: dict) -> list[str]:
    return [graphic["graphic_ref"] for graphic in row["graphics"]]


@pytest.mark.parametrize(
    ("body", "rest", "location", "section_path"),
    [
        ("<sec><title>Results</title><sec><title>A</title>{}</sec></sec>", "", "body", ["Results", "A"]),
        ("<p>x {}</p>", "", "body", []),
        ("<sec><p><bold>x</bold>{} y</p></sec>", "", "body", []),
        ("<boxed-text><caption><title>Box</title></caption>{}</boxed-text>", "", "body", ["Box"]),
        ("<table-wrap><table><tr><td>{}</td></tr></table></table-wrap>", "", "body", []),
        ("<supplementary-material>{}</supplementary-material>", "", "body", []),
        ("", "<floats-group>{}</floats-group>", "floats", []),
        ("", "<floats-wrap>{}</floats-wrap>", "floats", []),
        ("", "<back><app-group><app><title>Appendix</title><p>{}</p></app></app-group></back>", "back", ["Appendix"]),
        ("", "<sub-article><body><sec><title>R</title>{}</sec></body></sub-article>", "sub-article", ["R"]),
        ("", "<response><body><p>{}</p></body></response>", "response", []),
    ],
)
def test_figure_is_read_wherever_it_stands(body: str, rest: str, location: str, section_path: list[str]):
    rows = read(body.replace("{}", figure(CAPTION)), rest=rest.replace("{}", figure(CAPTION))).figures
    (row,) = [row for row in rows if row["kind"] == "figure"]
    assert (row["caption"], row["location"], row["section_path"]) == ("One.", location, section_path)
    assert refs(row) == ["f1.jpg"]


def test_figure_in_the_abstract_is_read():
    (row,) = read(meta=f'<abstract abstract-type="graphical"><p>{figure(CAPTION)}</p></abstract>').figures
    assert (row["location"], row["caption"]) == ("front", "One.")


def test_href_is_read_by_its_name_not_by_its_place():
    (row,) = read(figure(CAPTION, '<graphic id="g1" content-type="x" xlink:href="f1.jpg"/>')).figures
    assert refs(row) == ["f1.jpg"]


def test_two_graphics_are_two():
    (row,) = read(figure(CAPTION, '<graphic xlink:href="a"/><graphic xlink:href="b"/>')).figures
    assert [(g["graphic_index"], g["alternative_index"], g["graphic_ref"]) for g in row["graphics"]] == [
        (0, 0, "a"),
        (1, 0, "b"),
    ]


def test_alternatives_share_a_graphic():
    alternatives = '<alternatives><graphic xlink:href="a.tif"/><graphic xlink:href="a.png"/></alternatives>'
    (row,) = read(figure(CAPTION, alternatives + '<graphic xlink:href="b"/>')).figures
    assert [(g["graphic_index"], g["alternative_index"]) for g in row["graphics"]] == [(0, 0), (0, 1), (1, 0)]


def test_media_alone_is_kept_with_its_type():
    media = '<media xlink:href="v.mp4" mimetype="video" mime-subtype="mp4"/>'
    (row,) = read(figure(CAPTION, media)).figures
    assert row["graphics"] == [
        {
            "graphic_index": 0,
            "alternative_index": 0,
            "graphic_ref": "v.mp4",
            "element": "media",
            "mime_type": "video/mp4",
        }
    ]


def test_symbol_in_the_caption_follows_the_figures_graphics():
    caption = '<caption><p>Circles <inline-graphic xlink:href="s.gif"/>.</p></caption>'
    (row,) = read(figure(caption)).figures
    assert refs(row) == ["f1.jpg", "s.gif"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (figure(CAPTION, attributes='fig-type="scheme"'), "scheme"),
        (figure(CAPTION, label="<label>Scheme 1</label>"), "scheme"),
        (f"<table-wrap><label>Table 1</label>{CAPTION}{GRAPHIC}</table-wrap>", "table"),
        (f"<p><disp-formula>{GRAPHIC}</disp-formula></p>", "formula"),
        ('<p><inline-formula><inline-graphic xlink:href="e"/></inline-formula></p>', "formula"),
        (f"<chem-struct-wrap>{CAPTION}<chem-struct>{GRAPHIC}</chem-struct></chem-struct-wrap>", "chemical_structure"),
        (f"<supplementary-material>{CAPTION}{GRAPHIC}</supplementary-material>", "supplementary"),
        (f'<supplementary-material xlink:href="s.pdf">{CAPTION}</supplementary-material>', "supplementary"),
        (f'<sec><media xlink:href="v.mp4">{CAPTION}</media></sec>', "supplementary"),
        (f"<sec>{GRAPHIC}</sec>", "graphic"),
        (f"<p>{GRAPHIC}</p>", "graphic"),
    ],
)
def test_kind(body: str, kind: str):
    (row,) = read(body).figures
    assert row["kind"] == kind
    assert row["kind"] in FIGURE_KINDS
    assert len(row["graphics"]) == 1


def test_rows_are_in_document_order_over_all_kinds():
    body = f"<sec>{GRAPHIC}</sec><table-wrap>{GRAPHIC}</table-wrap>{figure(CAPTION)}<p><disp-formula>{GRAPHIC}</disp-formula></p>"
    rows = read(body).figures
    assert [(row["figure_index"], row["kind"]) for row in rows] == list(
        enumerate(["graphic", "table", "figure", "formula"])
    )


def test_members_of_a_group_carry_its_caption_and_label():
    group = f"<fig-group id='G'><label>Figure 3</label><caption><title>All</title><p>both.</p></caption>{figure(CAPTION)}{figure('')}</fig-group>"
    rows = read(group).figures
    assert [(r["group_id"], r["group_label"], r["group_caption"], r["caption"]) for r in rows] == [
        ("G", "Figure 3", "All both.", "One."),
        ("G", "Figure 3", "All both.", ""),
    ]


def test_third_party_content_is_attributed():
    extra = (
        "<attrib>From Smith.</attrib><permissions><copyright-statement>© 2001 Smith</copyright-statement>"
        "<copyright-year>2001</copyright-year><license><license-p>Reprinted.</license-p></license></permissions>"
        "<alt-text>A plot</alt-text><long-desc>A long plot</long-desc>"
    )
    (row,) = read(figure(CAPTION, GRAPHIC + extra)).figures
    assert (row["attribution"], row["permissions"]) == ("From Smith.", "© 2001 Smith Reprinted.")
    assert (row["alt_text"], row["long_desc"], row["caption"]) == ("A plot", "A long plot", "One.")


def test_copyright_beside_the_caption_is_a_permission():
    """0ea432ac5e.xml"""
    statement = "<copyright-statement>© 2008 Geisbert</copyright-statement>"
    assert read(figure(CAPTION + statement)).figures[0]["permissions"] == "© 2008 Geisbert"


def test_source_data_of_a_figure_is_a_row_of_its_own():
    data = '<p><supplementary-material id="S"><media xlink:href="d.xlsx"/></supplementary-material></p>'
    rows = read(figure(CAPTION, GRAPHIC + data)).figures
    assert [(row["kind"], refs(row)) for row in rows] == [("figure", ["f1.jpg"]), ("supplementary", ["d.xlsx"])]


def test_graphics_alone_equal_the_rows_of_a_whole_reading():
    from jats_articles import article_xml

    body = f"<sec>{GRAPHIC}</sec>{figure(CAPTION)}<table-wrap>{GRAPHIC}</table-wrap>"
    rows = read(body).figures
    assert read_graphics(article_xml(body)) == [(row["kind"], ref) for row in rows for ref in refs(row)]
