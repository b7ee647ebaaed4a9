"""The order in which assets over different partitions are materialised."""

from collections import defaultdict
from dataclasses import dataclass

import dagster as dg


@dataclass(frozen=True)
class Phase:
    """Assets with the same partitions that one run per partition can materialise together."""

    keys: frozenset[dg.AssetKey]
    partitions_def: dg.PartitionsDefinition | None


def phases(defs: dg.Definitions, selection: dg.AssetSelection) -> list[Phase]:
    """Cut the selected assets into phases: each needs only itself and those before it.

    An asset's level is the number of changes of partitioning on the longest way to it; the file lists stand alone,
    since they say which cells have articles at all.
    """
    graph = defs.resolve_asset_graph()
    selected = selection.resolve(graph)
    levels: dict[dg.AssetKey, int] = {}
    grouped: dict[tuple[int, dg.PartitionsDefinition | None], set[dg.AssetKey]] = defaultdict(set)
    for key in graph.toposorted_asset_keys:
        node = graph.get(key)
        parents = [graph.get(parent) for parent in node.parent_keys if parent in levels]
        levels[key] = max(
            (levels[p.key] + (p.partitions_def != node.partitions_def or _stands_alone(p.key)) for p in parents),
            default=0,
        )
    for key, level in levels.items():
        if key in selected and graph.get(key).is_materializable:
            grouped[level, graph.get(key).partitions_def].add(key)
    ordered = sorted(grouped, key=lambda place: (place[0], str(place[1])))
    return [Phase(frozenset(grouped[place]), place[1]) for place in ordered]


def _stands_alone(key: dg.AssetKey) -> bool:
    return key == dg.AssetKey(["raw", "filelists"])
