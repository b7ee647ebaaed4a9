"""What the article says of a figure, for labels and panels: caption, kind, lettered parts. Images stay out."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pmc_assets import schema
from pmc_assets.annotations.lexicon import CaptionConcepts, read_lexicon
from pmc_assets.lake import Lake, Partition

FigureKey = tuple[str, int, int]
_KEY = list(schema.CORE_FIGURES.key)
CONCEPT_OF_KIND = {
    "formula": "Scientific Formulae and Equations",
    "table": "Tables",
    "chemical_structure": "Chemical Structures",
}
"""Kinds of figures in JATS that say what the picture shows where the caption says nothing."""


@dataclass(frozen=True, slots=True)
class FigureText:
    """One figure's words. `panel_ids` are the letters that its caption separates; `graphic_count` at least 1."""

    caption: str = ""
    kind: str = "figure"
    figure_label: str = ""
    panel_ids: frozenset[str] = frozenset()
    graphic_count: int = 1


def read_concepts(text: FigureText) -> CaptionConcepts:
    """Find the concepts that a figure's caption names; where it names none, the one of its kind."""
    concepts = read_lexicon().read(text.caption)
    if not concepts.globals_ and text.kind in CONCEPT_OF_KIND:
        return CaptionConcepts(Counter([CONCEPT_OF_KIND[text.kind]]), Counter(), is_by_kind=True)
    return concepts


def read_figure_texts(
    lake: Lake, cell: Partition, pmcids: Collection[str] | None = None
) -> dict[FigureKey, FigureText]:
    """Read the texts of a cell's figures, or of the figures of some articles, by figure key."""
    figures = lake.read_table(schema.CORE_FIGURES, cell, [*_KEY, "caption", "kind", "figure_label"])
    images = lake.read_table(schema.CORE_IMAGES, cell, _KEY)
    subcaptions = lake.read_table(schema.CORE_SUBCAPTIONS, cell, [*_KEY, "panel_id", "panel_ids"])
    graphics: dict[FigureKey, int] = defaultdict(int)
    for row in _of_articles(images, pmcids).to_pylist():
        graphics[_key(row)] += 1
    letters: dict[FigureKey, set[str]] = defaultdict(set)
    for row in _of_articles(subcaptions, pmcids).to_pylist():
        letters[_key(row)].update(row["panel_ids"] or [row["panel_id"]])
    return {
        (key := _key(row)): FigureText(
            row["caption"], row["kind"], row["figure_label"] or "", frozenset(letters[key]), max(1, graphics[key])
        )
        for row in _of_articles(figures, pmcids).to_pylist()
    }


def read_member_texts(lake: Lake, members: pa.Table) -> list[FigureText]:
    """Read the texts of images of any cells, in their order. Empty: a member without figure row has no words."""
    rows = members.select([*_KEY, "license_group", "batch"]).to_pylist()
    pmcids: dict[Partition, set[str]] = defaultdict(set)
    for row in rows:
        pmcids[_cell(row)].add(row["pmcid"])
    texts = {cell: read_figure_texts(lake, cell, wanted) for cell, wanted in pmcids.items()}
    return [texts[_cell(row)].get(_key(row), FigureText()) for row in rows]


def _of_articles(rows: pa.Table, pmcids: Collection[str] | None) -> pa.Table:
    return rows if pmcids is None else rows.filter(pc.is_in(rows["pmcid"], pa.array(sorted(pmcids))))


def _key(row: dict) -> FigureKey:
    return row["pmcid"], row["version"], row["figure_index"]


def _cell(row: dict) -> Partition:
    return Partition.of(license_group=row["license_group"], batch=row["batch"])
