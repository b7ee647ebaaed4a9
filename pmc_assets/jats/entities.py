"""Names of characters that JATS takes from a DTD (`&ast;`, `&nbsp;`): resolved from a table, no DTD is ever read."""

import re
from html.entities import html5

_REFERENCE = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|&([A-Za-z][A-Za-z0-9._-]*);", re.DOTALL
)
_OF_XML = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))
_DECLARED = re.compile(rb"<!ENTITY\s+([A-Za-z][A-Za-z0-9._-]*)\s")


class UnknownEntity(ValueError):
    """The article uses the name of a character that neither it nor the table defines."""


def _character_references(text: str) -> bytes:
    return b"".join(b"&#%d;" % ord(character) for character in text)


def resolve_named_characters(xml: bytes) -> bytes:
    """Put numeric references in place of the known names that the article itself does not declare.

    CDATA, comments and instructions stay as they are: a name in them is text.

    Source: the ISO and HTML names that JATS's DTD imports, as the standard library lists them.
    Raises: UnknownEntity for a name that is in no table.
    """
    kept = _OF_XML | frozenset(_DECLARED.findall(xml))

    def replace(match: re.Match[bytes]) -> bytes:
        name = match[1]
        if name is None or name in kept:
            return match[0]
        text = html5.get(name.decode("ascii") + ";")
        if text is None:
            raise UnknownEntity(f"entity &{name.decode('ascii')}; is not known")
        return _character_references(text)

    return _REFERENCE.sub(replace, xml)
