"""The taxonomy of what images show: two levels of concepts, and the panel types. How captions are read stays out."""

import functools
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept: global if `parent` is empty. `lexicon` are the words by which captions name it."""

    name: str
    definition: str
    lexicon: tuple[str, ...]
    parent: str = ""


@dataclass(frozen=True)
class Taxonomy:
    """Concepts by name, in the file's order; panel subtypes by panel type."""

    globals_: dict[str, Concept]
    locals_: dict[str, Concept]
    panel_types: dict[str, tuple[str, ...]]

    def find_global(self, text: str) -> str | None:
        """Give the name of a global concept however it is spelt in case, `&` and hyphens; None if there is none."""
        return self._global_names.get(_folded(text))

    def find_local(self, text: str) -> str | None:
        return self._local_names.get(_folded(text))

    @functools.cached_property
    def _global_names(self) -> dict[str, str]:
        return {_folded(name): name for name in self.globals_}

    @functools.cached_property
    def _local_names(self) -> dict[str, str]:
        return {_folded(name): name for name in self.locals_}


@functools.cache
def read_taxonomy() -> Taxonomy:
    """Read the taxonomy that the package ships.

    Raises: ValueError where a local concept's name is used twice.
    """
    text = resources.files("pmc_assets.annotations").joinpath("taxonomy.yaml").read_text("utf-8")
    return parse_taxonomy(yaml.safe_load(text))


def parse_taxonomy(document: dict[str, Any]) -> Taxonomy:
    globals_, locals_ = {}, {}
    for entry in document["concepts"]:
        globals_[entry["name"]] = _concept(entry)
        for child in entry["locals"]:
            if child["name"] in locals_:
                raise ValueError(f"local concept {child['name']!r} is listed twice")
            locals_[child["name"]] = _concept(child, entry["name"])
    panel_types = {name: tuple(subtypes) for name, subtypes in document["panel_types"].items()}
    return Taxonomy(globals_, locals_, panel_types)


def _concept(entry: dict[str, Any], parent: str = "") -> Concept:
    return Concept(entry["name"], entry["definition"], tuple(entry["lexicon"]), parent)


def _folded(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", text.replace("&", " and ").casefold()).strip()
