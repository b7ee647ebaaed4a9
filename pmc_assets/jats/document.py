"""From bytes to the tree of one article: what the parser may do, what is malformed. No DTD, file or address is read."""

import re
from typing import Any

from lxml import etree

from pmc_assets.jats.entities import UnknownEntity, resolve_named_characters

ARTICLE = "article"
_TAIL_BYTES = 4096
_OPTIONS: dict[str, Any] = {
    "resolve_entities": "internal",
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
_PARSER = etree.XMLParser(**_OPTIONS)
_TYPES = etree.ErrorTypes
_UNDECLARED = frozenset((_TYPES.ERR_UNDECLARED_ENTITY, _TYPES.WAR_UNDECLARED_ENTITY))
_HARMLESS = frozenset((_TYPES.NS_ERR_UNDEFINED_NAMESPACE, _TYPES.ERR_ATTRIBUTE_REDEFINED))


class MalformedArticle(ValueError):
    """The bytes are not one JATS article; the message says why."""


def parse_article(xml: bytes) -> tuple[etree._Element, bool]:
    """Parse the bytes of one article and give its `article` element, without namespace, and if it was recovered.

    Source: JATS or NLM `article`, bare or wrapped (OAI-PMH record, efetch's pmc-articleset), in any default namespace.
    Shape: recovered is True only where every error is one after which the tree is still whole: a prefix without a
        declaration or an attribute given twice. Names of characters that only a DTD defines are left in the tree as
        etree.Entity; whoever meets one parses again by `parse_named_article`.
    Raises: MalformedArticle for everything else that is not well-formed, and for none or several articles.
    """
    root, is_recovered = _parse(xml)
    return _article_of(root), is_recovered


def parse_named_article(xml: bytes) -> etree._Element:
    """Parse an article with the names of characters resolved from the table.

    Raises: MalformedArticle for a name that is in no table and for external entities.
    """
    return _article_of(_parse_with_names(xml))


def _article_of(root: etree._Element) -> etree._Element:
    return root if root.tag == ARTICLE else _only_article(root)


def _parse(xml: bytes) -> tuple[etree._Element, bool]:
    try:
        root = etree.fromstring(xml, _PARSER)
    except etree.XMLSyntaxError as error:
        if _code(error) in _UNDECLARED:
            return _parse_with_names(xml), False
        return _recover(xml, error), True
    except (ValueError, LookupError, AssertionError) as error:
        raise MalformedArticle(str(error) or type(error).__name__) from error
    return root, False


def _parse_with_names(xml: bytes) -> etree._Element:
    try:
        root = etree.fromstring(resolve_named_characters(xml), _PARSER)
    except UnknownEntity as error:
        raise MalformedArticle(str(error)) from error
    except etree.XMLSyntaxError as error:
        raise MalformedArticle(_reason(error)) from error
    if next(root.iter(etree.Entity), None) is not None:
        raise MalformedArticle("an entity is external or has no text")
    return root


def _code(error: etree.XMLSyntaxError) -> int:
    return getattr(error, "code", 0) or 0


def _recover(xml: bytes, error: etree.XMLSyntaxError) -> etree._Element:
    """Read on after a fault that leaves the tree whole; refuse every other."""
    if _code(error) not in _HARMLESS:
        raise MalformedArticle(_reason(error)) from error
    parser = etree.XMLParser(recover=True, **_OPTIONS)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as second:
        raise MalformedArticle(_reason(second)) from second
    faults = [entry for entry in parser.error_log if entry.type not in _HARMLESS]
    if root is None or faults or next(root.iter(etree.Entity), None) is not None:
        raise MalformedArticle(faults[0].message[:500] if faults else _reason(error)) from error
    if not _is_closed(root, xml):
        raise MalformedArticle("the document does not end with its root element") from error
    return root


def _is_closed(root: etree._Element, xml: bytes) -> bool:
    """Tell whether the bytes end with the root's end tag: after its first fault libxml2 is silent about a cut."""
    name = re.escape(re.split("[}:]", str(root.tag))[-1].encode())
    tail = xml[-_TAIL_BYTES:].replace(b"\0", b"")
    return (
        re.search(rb"</(?:[^<>/:\s]+:)?" + name + rb"\s*>(?:\s|<!--.*?-->|<\?.*?\?>)*\Z", tail, re.DOTALL) is not None
    )


def _reason(error: etree.XMLSyntaxError) -> str:
    return (error.msg or "no element found")[:500]


def _only_article(root: etree._Element) -> etree._Element:
    articles = list(root.iter(ARTICLE, f"{{*}}{ARTICLE}"))
    if len(articles) != 1:
        raise MalformedArticle(f"{len(articles)} article elements under the root element {root.tag}"[:500])
    (article,) = articles
    if article.tag != ARTICLE:
        _drop_namespace(root, str(article.tag).removesuffix(ARTICLE))
    return article


def _drop_namespace(root: etree._Element, namespace: str) -> None:
    for element in root.iter(namespace + "*"):
        element.tag = str(element.tag)[len(namespace) :]
