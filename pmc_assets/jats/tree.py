"""Elements by name: children and what is below, without the cost of an XPath for each question."""

from lxml import etree

from pmc_assets.jats.compiled import compiled


@compiled
def child_of(parent: etree._Element, tag: str) -> etree._Element | None:
    """Give the first child of a name, None where there is none."""
    return next(parent.iterchildren(tag), None)


@compiled
def children_of(parent: etree._Element, tag: str, other: str | None = None) -> list[etree._Element]:
    """List the children of a name, or of either of two."""
    return list(parent.iterchildren(tag) if other is None else parent.iterchildren(tag, other))


@compiled
def count_children(parent: etree._Element, tag: str) -> int:
    """Count the children of a name."""
    return len(children_of(parent, tag))


@compiled
def children_by_name(parent: etree._Element | None) -> dict[str, list[etree._Element]]:
    """Give the children of an element by name, each name's in order."""
    children: dict[str, list[etree._Element]] = {}
    for child in () if parent is None else parent:
        children.setdefault(child.tag, []).append(child)  # pyrefly: ignore[no-matching-overload]
    return children


@compiled
def holds_only(parent: etree._Element, tags: frozenset[str]) -> bool:
    """Tell whether an element holds nothing but elements of these names and white space."""
    if parent.text and not parent.text.isspace():
        return False
    return all(child.tag in tags and (not child.tail or child.tail.isspace()) for child in parent)


@compiled
def words_of(parent: etree._Element, tags: tuple[str, ...]) -> list[str | None]:
    """Give for each name the text that the last child of this name begins with, blanks around it aside.

    Empty: None where there is no such child.
    """
    texts = {child.tag: child.text or "" for child in parent}
    return [texts[tag].strip() if tag in texts else None for tag in tags]


@compiled
def below(element: etree._Element, tag: str, other: str | None = None) -> list[etree._Element]:
    """List the elements of a name, or of either of two, at any depth in an element, in document order."""
    found = element.iter(tag) if other is None else element.iter(tag, other)
    return [each for each in found if each is not element]
