"""Names of elements and attributes that the reader asks for."""

MATHML = "{http://www.w3.org/1998/Math/MathML}"
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
LICENSE_REF = "{http://www.niso.org/schemas/ali/1.0/}license_ref"

GRAPHICS = (
    "graphic",
    "inline-graphic",
    "media",
    "inline-media",
    "supplementary-material",
    "inline-supplementary-material",
)
MATH = MATHML + "math"
ANNOTATION = MATHML + "annotation"
ANNOTATION_XML = MATHML + "annotation-xml"

SHOWING = (
    "fig",
    "fig-group",
    "table-wrap",
    "table-wrap-group",
    "disp-formula",
    "inline-formula",
    "chem-struct-wrap",
    "chem-struct",
)
"""Elements that show the graphics inside of them, beside those of GRAPHICS that hold others."""

FLOATS = (
    "fig",
    "fig-group",
    "table-wrap",
    "table-wrap-group",
    "boxed-text",
    "supplementary-material",
    "media",
    "chem-struct-wrap",
)


def primary_language(language: str | None) -> str | None:
    """Give the language of an xml:lang without its country, in lower case: `EN` and `en-US` are `en`."""
    return language.split("-")[0].lower() if language else None
