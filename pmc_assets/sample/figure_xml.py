"""The JATS of one figure, table, formula or supplement of a sample article."""

from xml.sax.saxutils import escape, quoteattr

from pmc_assets.sample.figure_plan import Figure, Graphic

_EQUATION = (
    '<mml:math display="block"><mml:mrow><mml:mi>y</mml:mi><mml:mo>=</mml:mo><mml:mi>a</mml:mi><mml:mo>+</mml:mo>'
    "<mml:mi>b</mml:mi><mml:mi>x</mml:mi></mml:mrow></mml:math><tex-math>$$y=a+bx$$</tex-math>"
)


def figure_xml(figure: Figure, markup: frozenset[str]) -> str:
    """Write one element that shows graphics, after its kind."""
    match figure.kind:
        case "table":
            return _element("table-wrap", figure, markup, _table_foot())
        case "formula":
            alternatives = f"<alternatives>{_EQUATION}{_graphics(figure, markup)}</alternatives>"
            return f'<disp-formula id="{figure.figure_id}">{alternatives}<label>{figure.label}</label></disp-formula>'
        case "supplementary":
            media = f"<media xlink:href={quoteattr(figure.graphics[0].href)}>{_caption(figure)}</media>"
            name = "supplementary-material"
            return f'<{name} id="{figure.figure_id}"><label>{figure.label}</label>{media}</{name}>'
    return _element("fig", figure, markup, "")


def _element(name: str, figure: Figure, markup: frozenset[str], tail: str) -> str:
    figure_id = f' id="{figure.figure_id}"' if figure.figure_id else ""
    label = f"<label>{figure.label}</label>" if figure.label else ""
    translated = _translated_caption(figure) if "translation" in markup and figure.kind == "figure" else ""
    caption = _caption(figure)
    return f'<{name}{figure_id} position="float">{label}{caption}{translated}{_graphics(figure, markup)}{tail}</{name}>'


def _caption(figure: Figure) -> str:
    if not figure.title and not figure.paragraphs:
        return "<caption/>" if figure.label else ""
    title = f"<title>{figure.title}</title>" if figure.title else ""
    return f"<caption>{title}{''.join(f'<p>{p}</p>' for p in figure.paragraphs)}</caption>"


def _translated_caption(figure: Figure) -> str:
    return f'<caption xml:lang="pt"><p>Legenda traduzida de {escape(figure.label or "figura")}.</p></caption>'


def _graphics(figure: Figure, markup: frozenset[str]) -> str:
    graphics = [_graphic(graphic, figure) for graphic in figure.graphics]
    if "alternatives" in markup and figure.kind == "figure":
        small = '<graphic content-type="thumbnail" xlink:href="not-offered-thumbnail.gif"/>'
        return "".join(f"<alternatives>{graphic}{small}</alternatives>" for graphic in graphics)
    return "".join(graphics)


def _graphic(graphic: Graphic, figure: Figure) -> str:
    href = quoteattr(graphic.href)
    if graphic.href.endswith("mp4"):
        return f'<graphic mimetype="video" mime-subtype="mp4" xlink:href={href}/>'
    alt = f"<alt-text>{escape(figure.label)}</alt-text>" if figure.label else ""
    return f'<graphic position="float" orientation="portrait" xlink:href={href}>{alt}</graphic>'


def _table_foot() -> str:
    return "<table-wrap-foot><p>Values are mean ± SD.</p></table-wrap-foot>"
