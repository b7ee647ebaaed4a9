"""Captions: title and all paragraphs in reading order, with a space between blocks and none inside inline markup."""

from dataclasses import dataclass, field

from lxml import etree

from pmc_assets.jats.compiled import compiled
from pmc_assets.jats.names import XML_LANG, primary_language
from pmc_assets.jats.settle import space_around
from pmc_assets.jats.text import text_of
from pmc_assets.jats.tree import holds_only

_LEAVES = frozenset(
    ("title", "p", "subtitle", "label", "disp-formula", "attrib", "preformat", "code", "verse-line", "fn")
)
_CONTAINERS = frozenset(
    ("caption", "list", "list-item", "def-list", "def-item", "disp-quote", "sec", "statement", "speech", "verse-group")
)
_BLOCKS = _LEAVES | _CONTAINERS
MAX_BLOCK_DEPTH = 50


@dataclass(slots=True)
class Caption:
    """A caption in one language: its text, and where in the text each block starts."""

    text: str = ""
    title: str | None = None
    language: str | None = None
    block_starts: list[int] = field(default_factory=list)

    def append(self, texts: list[str], *, is_title: bool) -> None:
        for text in texts:
            self.block_starts.append(len(self.text) + 1 if self.text else 0)
            self.text = f"{self.text} {text}" if self.text else text
        if is_title and self.title is None and texts:
            self.title = texts[0]


def read_captions(captions: list[etree._Element], language: str | None) -> tuple[Caption, list[Caption]]:
    """Read the caption elements of one figure as (the caption, its translations).

    Source: caption elements and their title, p and other children; xml:lang on any of them parts the languages. The
        caption is the one in `language`, that of the figure's surroundings, else the first.
    Empty: a caption with text "" where there is none.
    """
    by_language: dict[str | None, Caption] = {}
    for element in captions:
        own_language = element.get(XML_LANG) or language
        for is_title, block_language, texts in leaf_texts(element, _LEAVES) or _read_blocks(element):
            block_language = block_language or own_language
            caption = by_language.get(block_language)
            if caption is None:
                caption = by_language[block_language] = Caption(language=block_language)
            caption.append(texts, is_title=is_title)
    if not by_language:
        return Caption(language=language), []
    if len(by_language) == 1:
        return by_language.popitem()[1], []
    first, own = next(iter(by_language)), primary_language(language)
    main = by_language.pop(next((other for other in by_language if primary_language(other) == own), first))
    return main, [caption for caption in by_language.values() if caption.text]


@compiled
def leaf_texts(caption: etree._Element, names: frozenset[str]) -> list[tuple[bool, str | None, list[str]]]:
    """Read the blocks of a caption none of which holds others: whether it is a title, its language, its text.

    Empty: [] where the blocks are to be read one by one.
    """
    return []


def _read_blocks(caption: etree._Element) -> list[tuple[bool, str | None, list[str]]]:
    blocks = caption if holds_only(caption, _BLOCKS) else (caption,)
    return [(block.tag == "title", block.get(XML_LANG), block_texts(block)) for block in blocks]


def block_texts(block: etree._Element, depth: int = 0) -> list[str]:
    """List the texts of the blocks in a block, in reading order; blocks without text are left out."""
    if block.tag in _CONTAINERS and depth < MAX_BLOCK_DEPTH and holds_only(block, _BLOCKS):
        return [text for child in block for text in block_texts(child, depth + 1)]
    if block.tag in _CONTAINERS:
        for inner in block.iter("p", "title"):
            space_around(inner)
    text = text_of(block)
    return [text] if text else []
