"""A label proposal per cluster, without any expert: what the captions of its members say."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from pmc_assets import schema
from pmc_assets.annotations.cluster_model import ClusterModel, load_cluster_model
from pmc_assets.annotations.figure_texts import FigureText, read_concepts, read_member_texts
from pmc_assets.annotations.lexicon import CaptionConcepts
from pmc_assets.annotations.taxonomy import read_taxonomy
from pmc_assets.lake import Lake, Partition
from pmc_assets.results import PREVIEW_ROWS, StageResult

NEIGHBOURS = 5
MULTIPLE_WEIGHT = 0.5
"""The caption of several panels speaks of each panel only in part."""
NEIGHBOUR_WEIGHT = 0.5
MIN_NEIGHBOUR_SHARE = 0.6
"""A cluster without words takes its neighbours' concept only where they agree so far."""
MIN_LOCAL_SHARE = 0.4


Weights = defaultdict[str, float]


@dataclass(slots=True)
class Votes:
    """The votes of one cluster's members."""

    members: int = 0
    multiple: int = 0
    named: int = 0
    by_kind: int = 0
    globals_: Weights = field(default_factory=lambda: defaultdict(float))
    locals_: Weights = field(default_factory=lambda: defaultdict(float))

    def share(self, concept: str | None) -> float:
        total = sum(self.globals_.values())
        return self.globals_.get(concept, 0.0) / total if concept and total else 0.0


def propose_labels(lake: Lake, model_id: str = "") -> StageResult:
    """Propose a label for every cluster of a model (the one in use); publish `models.cluster_proposals`."""
    model = load_cluster_model(lake, model_id)
    cell = Partition.of(model=model.model_id)
    members = lake.read_table(schema.MODELS_CLUSTER_MEMBERS, cell)
    votes = count_votes(members, read_member_texts(lake, members), model.facts.clusters)
    table = schema.MODELS_CLUSTER_PROPOSALS.from_rows(_proposals(model, votes))
    written = lake.write_table(schema.MODELS_CLUSTER_PROPOSALS, table, cell)
    labelled = sum(bool(row["primary_label"]) for row in table.to_pylist())
    result = StageResult(
        listed=len(votes),
        stored=len(votes),
        details={"model_id": model.model_id, "clusters_with_proposal": labelled},
        preview=table.slice(0, PREVIEW_ROWS),
    )
    return result.add_written(written)


def count_votes(members: pa.Table, texts: Sequence[FigureText], clusters: int) -> list[Votes]:
    """Let every member vote with what its caption names, one vote shared by the concepts that tie."""
    votes = [Votes() for _ in range(clusters)]
    panels = members["gutter_panel_count"].to_pylist()
    for cluster_id, count, text in zip(members["cluster_id"].to_pylist(), panels, texts, strict=True):
        is_multiple = count > 1 or len(text.panel_ids) > 1
        _vote(votes[cluster_id], text, is_multiple)
    return votes


def _vote(votes: Votes, text: FigureText, is_multiple: bool) -> None:
    votes.members += 1
    votes.multiple += is_multiple
    concepts = read_concepts(text)
    names = concepts.top()
    votes.by_kind += concepts.is_by_kind
    votes.named += bool(names)
    weight = MULTIPLE_WEIGHT if is_multiple else 1.0
    for name in names:
        votes.globals_[name] += weight / len(names)
    for name in top_locals(concepts, names):
        votes.locals_[name] += weight / len(names)


def top_locals(concepts: CaptionConcepts, primary: Sequence[str]) -> list[str]:
    """Give the local concepts named by most words under each given global one."""
    locals_ = read_taxonomy().locals_
    chosen = []
    for parent in primary:
        counts = {name: count for name, count in concepts.locals_.items() if locals_[name].parent == parent}
        chosen += [name for name, count in counts.items() if count == max(counts.values())]
    return chosen


def _proposals(model: ClusterModel, votes: list[Votes]) -> list[dict]:
    neighbours = model.neighbours(NEIGHBOURS)
    return [
        _proposal(cluster_id, own, _sum([votes[near] for near in neighbours[cluster_id]]))
        for cluster_id, own in enumerate(votes)
    ]


def _sum(votes: Sequence[Votes]) -> Votes:
    total = Votes()
    for one in votes:
        for name, weight in one.globals_.items():
            total.globals_[name] += weight
    return total


def _proposal(cluster_id: int, own: Votes, near: Votes) -> dict:
    ranked = _ranked(own.globals_)
    neighbour = next(iter(_ranked(near.globals_)), None)
    source: str | None = "figure_kinds" if own.by_kind * 2 > own.named else "captions"
    primary, confidence = ranked[:1], own.share(ranked[0] if ranked else None)
    if not ranked:
        agrees = near.share(neighbour) >= MIN_NEIGHBOUR_SHARE
        primary = [neighbour] if neighbour and agrees else []
        confidence = near.share(neighbour) * NEIGHBOUR_WEIGHT if agrees else 0.0
        source = "neighbours" if agrees else None
    second = ranked[1] if len(ranked) > 1 else None
    return {
        "cluster_id": cluster_id,
        "member_count": own.members,
        "named_count": own.named,
        "multiple_share": own.multiple / own.members if own.members else 0.0,
        "primary_label": primary,
        "secondary_label": _locals_of(own, primary),
        "confidence": confidence,
        "label_source": source,
        "second_label": second,
        "second_share": own.share(second),
        "neighbour_label": neighbour,
    }


def _ranked(votes: Weights) -> list[str]:
    """Order concepts by votes, ties by name."""
    return sorted(votes, key=lambda name: (-round(votes[name], 6), name))


def _locals_of(votes: Votes, primary: list[str]) -> list[str]:
    total = sum(votes.globals_.get(name, 0.0) for name in primary)
    taxonomy = read_taxonomy()
    return [
        name
        for name in _ranked(votes.locals_)
        if taxonomy.locals_[name].parent in primary and votes.locals_[name] >= MIN_LOCAL_SHARE * total
    ]
