"""Which concepts a caption names: words of the taxonomy's lexicon, on word boundaries, negated ones left out."""

import functools
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pmc_assets.annotations.taxonomy import Concept, Taxonomy, read_taxonomy

_WORD = re.compile(r"[^\W_]+")
_JOINER = re.compile(r"[\s\-\u2010-\u2015/&±'’]*")
_NEGATORS = frozenset(
    {"no", "not", "without", "absence", "lack", "lacks", "lacking", "neither", "nor"}
    | {"except", "excluding", "unlike", "cannot", "never"}
)
_NEGATOR_REACH = 4
_REACH_ENDS = frozenset({"in", "on", "by", "at", "with", "using"})
"""What follows these words is where or how something was not found: "no fracture on CT" is a CT."""
_UNDONE = re.compile(
    r"\W*(?:data\W+)?(?:(?:was|were|is|are)\W+)?not\W+(?:shown|performed|done|available|obtained|included|used)\b"
)


@dataclass(frozen=True, slots=True)
class CaptionConcepts:
    """How many different words of a text name each global and each local concept; `is_by_kind` for one of no words."""

    globals_: Counter[str]
    locals_: Counter[str]
    is_by_kind: bool = False

    def top(self) -> list[str]:
        """Give the global concepts named by the most words, all that tie. Empty: [] where none is named."""
        most = max(self.globals_.values(), default=0)
        return [name for name, count in self.globals_.items() if count == most]


@dataclass(frozen=True, slots=True)
class _Term:
    words: tuple[str, ...]
    concept: Concept

    def matches(self, words: list[str]) -> bool:
        return len(words) == len(self.words) and all(
            _same(term, word, is_last=place == len(words) - 1)
            for place, (term, word) in enumerate(zip(self.words, words, strict=True))
        )


def _same(term: str, word: str, *, is_last: bool) -> bool:
    if term != term.lower():
        return word == term or (is_last and word == term + "s")
    word = word.lower()
    return word == term or (is_last and word in (term + "s", term + "es"))


@dataclass(frozen=True)
class Lexicon:
    """Terms by their first word in small letters, the longest first."""

    terms: dict[str, list[_Term]]

    def read(self, text: str) -> CaptionConcepts:
        """Find the concepts that a text names; a term inside a longer one counts for the longer one alone."""
        words = list(_WORD.finditer(text))
        found: set[_Term] = set()
        place = 0
        while place < len(words):
            term = self._longest(text, words, place)
            if term and not _is_negated(text, words, place, len(term.words)):
                found.add(term)
            place += len(term.words) if term else 1
        return CaptionConcepts(
            Counter(term.concept.parent or term.concept.name for term in sorted(found, key=_order)),
            Counter(term.concept.name for term in sorted(found, key=_order) if term.concept.parent),
        )

    def _longest(self, text: str, words: list[re.Match[str]], place: int) -> _Term | None:
        first = words[place][0].lower()
        for form in (first, first.removesuffix("s"), first.removesuffix("es")):
            for term in self.terms.get(form, ()):
                part = words[place : place + len(term.words)]
                if term.matches([word[0] for word in part]) and _is_joined(text, part):
                    return term
        return None


def _order(term: _Term) -> tuple[str, tuple[str, ...]]:
    return term.concept.name, term.words


def _is_joined(text: str, words: list[re.Match[str]]) -> bool:
    pairs = zip(words, words[1:], strict=False)
    return all(_JOINER.fullmatch(text, before.end(), after.start()) for before, after in pairs)


def _is_negated(text: str, words: list[re.Match[str]], place: int, length: int) -> bool:
    """Say whether a negator precedes in the same phrase, or `not shown` and the like follows."""
    after = words[place]
    for before in reversed(words[max(0, place - _NEGATOR_REACH) : place]):
        if before[0].lower() in _REACH_ENDS or re.search(r"[.,;:()]", text[before.end() : after.start()]):
            break
        if before[0].lower() in _NEGATORS:
            return True
        after = before
    return _UNDONE.match(text, words[place + length - 1].end()) is not None


@functools.cache
def read_lexicon() -> Lexicon:
    return compile_lexicon(read_taxonomy())


def compile_lexicon(taxonomy: Taxonomy) -> Lexicon:
    terms: dict[str, list[_Term]] = {}
    concepts: Iterable[Concept] = (*taxonomy.globals_.values(), *taxonomy.locals_.values())
    for concept in concepts:
        for text in concept.lexicon:
            words = tuple(_WORD.findall(text))
            terms.setdefault(words[0].lower(), []).append(_Term(words, concept))
    for group in terms.values():
        group.sort(key=lambda term: -len(term.words))
    return Lexicon(terms)
