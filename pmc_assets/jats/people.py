"""Authors with ORCID and affiliations, and who paid: from article-meta."""

import re
from collections.abc import Callable

from lxml import etree

from pmc_assets.jats.compiled import compiled
from pmc_assets.jats.names import XLINK_HREF
from pmc_assets.jats.text import text_of, text_or_none, tidy
from pmc_assets.jats.tree import child_of, children_of

_ORCID = re.compile(r"(\d{4})-?(\d{4})-?(\d{4})-?(\d{3}[\dXx])(?!\d)")
_NAMES = frozenset(
    ("name", "string-name", "collab", "collab-alternatives", "name-alternatives", "anonymous", "collab-name")
)
_LEFT_OUT_OF_AFFILIATION = frozenset(("label", "institution-id", "xref"))
_PARTED = frozenset(("institution-wrap", "addr-line"))
_INLINE = frozenset(("italic", "bold", "sup", "sub", "sc", "styled-content", "break"))
_Name = tuple[str | None, str | None]
MAX_MARK_CHARACTERS = 3
MAX_SHARED_AFFILIATIONS = 60


def read_authors(meta: etree._Element) -> list[dict]:
    """Read the authors of the article in order; editors and other contributors are none.

    Source: article-meta/contrib-group/contrib of contrib-type author, or of none; aff by xref, in the contrib, or of
        the whole group where no xref parts them.
    """
    groups = children_of(meta, "contrib-group")
    common = _affiliations(meta)
    return [author for group in groups for author in _authors_of(group, common)]


def _authors_of(group: etree._Element, common: list[etree._Element]) -> list[dict]:
    own = _affiliations(group)
    by_id = {aff.get("id"): aff for aff in common + own}
    read: dict[etree._Element, str] = {}

    def affiliation(aff: etree._Element) -> str:
        if aff not in read:
            read[aff] = affiliation_text(aff)
        return read[aff]

    authors, pointing = [], False
    for contrib in children_of(group, "contrib"):
        if contrib.get("contrib-type", "author") not in ("author", "collab", "group"):
            continue
        author, rids, inner = _author(contrib, _name, _orcid)
        affs = [by_id[rid] for rid in rids if rid in by_id] + inner
        pointing = pointing or bool(affs)
        author["affiliations"] = [text for aff in affs if (text := affiliation(aff))]
        authors.append(author)
    if not pointing:
        shared = [text for aff in own or common if (text := affiliation(aff))]
        if (own or len(shared) == 1) and len(shared) <= MAX_SHARED_AFFILIATIONS:
            for author in authors:
                author["affiliations"] = list(shared)
    return [author for author in authors if author["surname"] or author["given_names"]]


def _affiliations(parent: etree._Element) -> list[etree._Element]:
    affiliations = []
    for child in children_of(parent, "aff", "aff-alternatives"):
        if child.tag == "aff-alternatives":
            first = child_of(child, "aff")
            if first is not None:
                first.set("id", child.get("id") or first.get("id") or "")
                affiliations.append(first)
        else:
            affiliations.append(child)
    return affiliations


@compiled
def _author(
    contrib: etree._Element,
    read_name: Callable[[etree._Element], _Name],
    read_orcid: Callable[[etree._Element], str | None],
) -> tuple[dict, list[str], list[etree._Element]]:
    """Read a contributor: the columns of an author, the ids of affiliations, and the affiliations inside of it."""
    surname = given_names = orcid = None
    rids: list[str] = []
    inner: list[etree._Element] = []
    for child in contrib:
        tag = child.tag
        if tag == "xref":
            if child.get("ref-type") in ("aff", None):
                rids += (child.get("rid") or "").split()
        elif tag in _NAMES:
            if surname is None and given_names is None:
                surname, given_names = read_name(child)
        elif tag == "aff":
            inner.append(child)
        elif tag == "aff-alternatives":
            inner += children_of(child, "aff")[:1]
        elif tag in ("contrib-id", "uri", "ext-link"):
            orcid = orcid or read_orcid(child)
    return {"surname": surname, "given_names": given_names, "orcid": orcid}, rids, inner


def _name(element: etree._Element) -> _Name:
    tag = element.tag
    if tag in ("name-alternatives", "collab-alternatives"):
        first = next(iter(element), None)
        return _name(first) if first is not None else (None, None)
    if tag in ("collab", "collab-name"):
        return _collaboration(element), None
    if tag == "anonymous":
        return "anonymous", None
    surname = given_names = suffix = None
    for child in element:
        if child.tag == "surname":
            surname = text_of(child)
        elif child.tag == "given-names":
            given_names = text_of(child)
        elif child.tag == "suffix":
            suffix = text_of(child)
    if surname is None and given_names is None:
        return text_or_none(element), None
    if surname and suffix:
        surname = f"{surname} {suffix}"
    return surname or None, given_names or None


def _collaboration(element: etree._Element) -> str | None:
    """Give the name of a group without the members that it lists."""
    parts = [element.text or ""]
    for child in element:
        if child.tag not in ("contrib-group", "address", "aff", "xref", "fn", "contrib-id", "email"):
            parts.append(text_of(child))
        parts.append(child.tail or "")
    return tidy("".join(parts)).strip(" ,;") or None


def _orcid(element: etree._Element) -> str | None:
    value = (element.get(XLINK_HREF) or "") + " " + (element.text or "")
    is_orcid = "orcid" in value or "orcid" in " ".join(map(str, element.values())).lower()
    match = _ORCID.search(value) if is_orcid else None
    return "-".join(match.groups()).upper() if match else None


def affiliation_text(aff: etree._Element) -> str:
    """Read an affiliation as printed, without its label; parts that no text divides are divided by a comma.

    Source: institution[@content-type="original"] alone where it is given: it prints the whole, its siblings repeat it.
    """
    for child in children_of(aff, "institution"):
        if child.get("content-type") == "original":
            return text_of(child)
    return tidy(_printed(aff)).replace(" ,", ",").replace(" ;", ";").strip(" ,;")


@compiled
def _printed(element: etree._Element) -> str:
    """Join the text of an affiliation with what divides its parts."""
    printed = before = element.text or ""
    for place, child in enumerate(element):
        tail = child.tail or ""
        if child.tag not in _LEFT_OUT_OF_AFFILIATION and not (place == 0 and not before.strip() and _is_mark(child)):
            own = _printed(child) if child.tag in _PARTED and len(child) else "".join(map(str, child.itertext()))
            if child.tag in _INLINE:
                printed += own
            else:
                if own.strip() and not before.strip():
                    printed = _divided(printed)
                printed += own + ", " if own[-1:].isalnum() and tail[:1].isalnum() else own
        printed += tail
        before = tail
    return printed


def _is_mark(element: etree._Element) -> bool:
    """Tell whether the first element of an affiliation is its number, sign or letter."""
    return element.tag in ("sup", "bold") and len(text_of(element)) <= MAX_MARK_CHARACTERS


def _divided(printed: str) -> str:
    """Put a comma after the last part."""
    printed = printed.rstrip()
    return printed + (" " if printed[-1] in ",;:.(" else ", ") if printed else ""


def read_funding_statement(meta: etree._Element) -> str | None:
    """Read the funding as the article words it; many articles name their funders nowhere else.

    Source: funding-group/funding-statement. Empty: None where there is none.
    """
    statements = [text_of(each) for each in _children_of_funding(meta, "funding-statement")]
    return "\n".join(filter(None, statements)) or None


def _children_of_funding(meta: etree._Element, tag: str) -> list[etree._Element]:
    return [each for group in children_of(meta, "funding-group") for each in children_of(group, tag)]


def read_funding(meta: etree._Element) -> list[dict]:
    """Read funders and awards: one row per award of each award-group, one without award where it names none.

    Source: funding-group/award-group; contract-sponsor and contract-num of old articles.
    """
    rows: list[dict[str, str | None]] = []
    for group in _children_of_funding(meta, "award-group"):
        sources = [text for each in children_of(group, "funding-source") if (text := affiliation_text(each))]
        awards = [text for each in children_of(group, "award-id") if (text := text_of(each))]
        source = "; ".join(sources) or None
        rows += [{"source": source, "award_id": award} for award in awards]
        if source and not awards:
            rows.append({"source": source, "award_id": None})
    sponsors = [text_of(each) for each in children_of(meta, "contract-sponsor")]
    numbers = [text_of(each) for each in children_of(meta, "contract-num")]
    if sponsors or numbers:
        source = "; ".join(filter(None, sponsors)) or None
        rows += [{"source": source, "award_id": number or None} for number in numbers or [""]]
    return rows
