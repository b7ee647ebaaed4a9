"""Formulas as text: TeX where the article has it, else the text of the MathML, never both."""

import re

from lxml import etree

from pmc_assets.jats.compiled import compiled
from pmc_assets.jats.names import ANNOTATION, ANNOTATION_XML, MATH

_TEX_BEGIN = re.compile(r"\\begin\s*\{document\}")
_TEX_END = re.compile(r"\\end\s*\{document\}")
_XML_SPACE = " \t\r\n"
_FORMULAS = ("alternatives", "inline-formula", "disp-formula")
_WRAPPERS = ("bold", "italic", "styled-content", "named-content", "sup", "sub")


def settle_formulas(found: dict[str, list[etree._Element]]) -> None:
    """Leave in the tree one text for each formula: its TeX, else its MathML's text without layout.

    Source: tex-math, mml:math, mml:annotation with a TeX encoding; `alternatives` hold the same formula several times.
    """
    annotations = found[ANNOTATION]
    if not (found[MATH] or found["tex-math"] or annotations):
        return
    stated = set()
    for tex in found["tex-math"]:
        formula = _formula_of(tex)
        is_repeated = formula in stated and formula.tag == "alternatives"
        _keep_only(tex, "" if is_repeated else tex_body("".join(map(str, tex.itertext()))))
        stated.add(formula)
    tex_of_math = _annotated_tex(annotations)
    for note in (*annotations, *found[ANNOTATION_XML]):
        _keep_only(note, "")
    for math in found[MATH]:
        formula = _formula_of(math)
        _keep_only(math, "" if formula in stated else tex_of_math.get(math) or math_text(math))
        if formula.tag == "alternatives":
            stated.add(formula)


def tex_body(tex: str) -> str:
    """Take the formula out of a whole LaTeX document; a formula alone stays as it is."""
    begin = _TEX_BEGIN.search(tex)
    end = _TEX_END.search(tex, begin.end()) if begin else None
    return (tex[begin.end() : end.start()] if begin and end else tex).strip()


@compiled
def math_text(math: etree._Element) -> str:
    """Join the tokens of MathML; white space between elements is layout, inside a token it is text."""
    text: str = etree.tostring(math, method="text", encoding="unicode", with_tail=False)
    if len(text.split()) < 2 and text.strip() == text:
        return text
    return "".join([chunk.strip(_XML_SPACE) for chunk in math.itertext()])


@compiled
def _formula_of(element: etree._Element) -> etree._Element:
    """Find what holds all forms of the same formula: `alternatives`, else the formula element, else the form itself."""
    parent = element.getparent()
    while parent is not None and parent.tag in _WRAPPERS:
        parent = parent.getparent()
    return parent if parent is not None and parent.tag in _FORMULAS else element


def _annotated_tex(annotations: list[etree._Element]) -> dict[etree._Element, str]:
    tex = {}
    for note in annotations:
        if "tex" in (note.get("encoding") or "").lower():
            math = next(note.iterancestors(MATH), None)
            if math is not None:
                tex[math] = tex_body("".join(map(str, note.itertext())))
    return tex


def _keep_only(element: etree._Element, text: str) -> None:
    del element[:]
    element.text = text
