"""The JATS of one sample article, written from its plan; figures and front matter have their own modules."""

from pmc_assets.sample.figure_plan import Figure
from pmc_assets.sample.figure_xml import figure_xml
from pmc_assets.sample.front_xml import front_xml
from pmc_assets.sample.plan import ArticlePlan
from pmc_assets.sample.words import PLACES, SURNAMES, pick, write_paragraph

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Archiving and Interchange DTD v1.3 20210610//EN" \
"JATS-archivearticle1-3-mathml3.dtd">
<article xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:mml="http://www.w3.org/1998/Math/MathML" \
article-type="research-article" xml:lang="en" dtd-version="1.3">"""
REFERENCES = 6


def article_xml(plan: ArticlePlan) -> bytes:
    """Write the article's JATS, UTF-8. A `truncated_xml` article ends within its body, maybe within a character."""
    places: dict[str, list[Figure]] = {}
    for figure in plan.figures:
        places.setdefault(figure.place, []).append(figure)
    xml = "".join(
        (_HEAD, front_xml(plan, places.get("front", [])), _body(plan, places), _back(plan, places.get("appendix", [])))
    )
    if "floats" in places:
        xml += f"<floats-group>{_figures(plan, places['floats'])}</floats-group>"
    if "sub_article" in places:
        xml += _sub_article(plan, places["sub_article"])
    data = (xml + "</article>\n").encode()
    return data[: data.index(b"<body>") + 600] if plan.deposit == "truncated_xml" else data


def _figures(plan: ArticlePlan, figures: list[Figure]) -> str:
    return "".join(figure_xml(figure, plan.markup) for figure in figures)


def _body(plan: ArticlePlan, places: dict[str, list[Figure]]) -> str:
    rng, words = plan.rng(1), plan.words
    paragraphs = [write_paragraph(rng, words, 3) for _ in range(5)]
    cited = [f for f in plan.figures if f.kind == "figure" and f.figure_id]
    results = "".join(f"<p>{paragraphs[2]} {pointer}</p>" for pointer in _pointers(cited))
    body = _figures(plan, places.get("body", []))
    if "fig_group" in places:
        group = _figures(plan, places["fig_group"])
        body += (
            '<fig-group id="FG1" position="float"><label>Figures of the group</label><caption><title>Two views of the '
            f"same sample.</title></caption>{group}</fig-group>"
        )
    if "boxed" in places:
        body += (
            f'<boxed-text id="B1"><caption><title>Box 1</title></caption><p>{paragraphs[4]}</p>'
            f"{_figures(plan, places['boxed'])}</boxed-text>"
        )
    return (
        f'<body><sec id="s1" sec-type="intro"><title>Introduction</title><p>{paragraphs[0]} '
        f'<xref ref-type="bibr" rid="R1 R2">[1, 2]</xref></p></sec>'
        f'<sec id="s2" sec-type="methods"><title>Methods</title><sec><title>Samples</title><p>{paragraphs[1]}</p>'
        f'<list list-type="bullet"><list-item><p>Place: {pick(rng, PLACES)}</p></list-item></list></sec>'
        f"<sec><title>Statistics</title><p>The rate was {_MATH}.</p></sec></sec>"
        f'<sec id="s3" sec-type="results"><title>Results</title>{results}{_TABLE}{body}</sec>'
        f'<sec id="s4"><title>Discussion</title><p>{paragraphs[3]}</p></sec></body>'
    )


_MATH = (
    '<inline-formula><alternatives><mml:math id="M1"><mml:mrow><mml:msub><mml:mi>k</mml:mi><mml:mn>1</mml:mn>'
    "</mml:msub><mml:mo>=</mml:mo><mml:mfrac><mml:mi>a</mml:mi><mml:mi>b</mml:mi></mml:mfrac></mml:mrow></mml:math>"
    "<tex-math>$$k_{1}=\\frac{a}{b}$$</tex-math></alternatives></inline-formula>"
)

_TABLE = (
    '<table-wrap id="T9"><label>Table 9</label><caption><p>Means by group.</p></caption><table><thead><tr><th>Group'
    "</th><th>Mean</th></tr></thead><tbody><tr><td>Control</td><td>1.2</td></tr><tr><td>Treated</td><td>3.4</td></tr>"
    "</tbody></table></table-wrap>"
)


def _pointers(figures: list[Figure]) -> list[str]:
    """Write the ways in which a text points at figures: alone, bold, with a panel, as a range, several ids at once."""
    if not figures:
        return [""]
    first, last = figures[0].figure_id, figures[-1].figure_id
    pointers = [
        f'As shown in <bold><xref ref-type="fig" rid="{first}">Fig. {first[1:]}</xref></bold>.',
        f'The effect was clear (<xref ref-type="fig" rid="{last}">Figure {last[1:]}A</xref>).',
    ]
    if len(figures) > 2:
        second, end = figures[1].figure_id, figures[-1].figure_id
        pointers.append(
            f'See Figs. <xref ref-type="fig" rid="{second}">{second[1:]}</xref>–'
            f'<xref ref-type="fig" rid="{end}">{end[1:]}</xref>.'
        )
        pointers.append(f'(<xref ref-type="fig" rid="{first} {second}">Figs {first[1:]} and {second[1:]}</xref>)')
    return pointers


def _back(plan: ArticlePlan, appendix: list[Figure]) -> str:
    rng = plan.rng(2)
    references = "".join(_reference(plan, k, pick(rng, SURNAMES)) for k in range(1, REFERENCES + 1))
    section = f'<app-group><app id="A1"><title>Appendix</title>{_figures(plan, appendix)}</app></app-group>'
    return (
        f"<back><ack><p>We thank the staff of {plan.institution[1]}.</p></ack>{section if appendix else ''}"
        f'<ref-list><title>References</title>{references}</ref-list><fn-group><fn fn-type="COI-statement">'
        f"<p>The authors declare no competing interests.</p></fn></fn-group></back>"
    )


def _reference(plan: ArticlePlan, number: int, surname: str) -> str:
    identifier = plan.cited_pmid(number)
    ids = f'<pub-id pub-id-type="pmid">{identifier}</pub-id>' if number % 3 else ""
    ids += f'<pub-id pub-id-type="doi">10.5555/ref.{identifier}</pub-id>' if number % 2 else ""
    return (
        f'<ref id="R{number}"><label>{number}</label><element-citation publication-type="journal"><person-group '
        f'person-group-type="author"><name><surname>{surname}</surname><given-names>A</given-names></name></person-group>'
        f"<article-title>Earlier work on {plan.words['disease']}</article-title><source>Ex Biol</source>"
        f"<year>{plan.year - number}</year><volume>{number}</volume><fpage>{number * 11}</fpage>{ids}"
        f"</element-citation></ref>"
    )


def _sub_article(plan: ArticlePlan, figures: list[Figure]) -> str:
    return (
        '<sub-article article-type="reply" id="SA1" xml:lang="en"><front-stub><title-group><article-title>Author '
        "response</article-title></title-group></front-stub><body><p>We added a figure.</p>"
        f"{_figures(plan, figures)}</body></sub-article>"
    )
