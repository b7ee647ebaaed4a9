"""The experts' labels of a model's clusters: majority and agreement. The form of their files stays out."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, groupby

import fsspec
import numpy as np
import pyarrow as pa

from pmc_assets import schema
from pmc_assets.annotations.cluster_model import load_cluster_model
from pmc_assets.annotations.label_files import ClusterLabel, read_label_files
from pmc_assets.annotations.taxonomy import read_taxonomy
from pmc_assets.lake import Lake, Partition
from pmc_assets.results import PREVIEW_ROWS, StageResult

SUFFIXES = (".csv", ".json")


def publish_cluster_labels(lake: Lake, labels_url: str, model_id: str = "") -> StageResult:
    """Read the files in `<labels_url>/<model id>/`, check them, publish the majority per cluster.

    Empty: no folder or no file gives no rows.
    Raises: FaultyLabels, before anything is changed.
    """
    model = load_cluster_model(lake, model_id)
    files = _read_files(f"{labels_url.rstrip('/')}/{model.model_id}")
    labels = read_label_files(files, read_taxonomy(), model.facts.clusters)
    table = majority_table(labels)
    written = lake.write_table(schema.MODELS_CLUSTER_LABELS, table, Partition.of(model=model.model_id))
    clusters = table.num_rows
    result = StageResult(
        listed=clusters,
        stored=clusters,
        details={
            "model_id": model.model_id,
            "files": len(files),
            "labels": len(labels),
            "annotators": len({label.annotator for label in labels}),
            "clusters_resolved": sum(table["is_resolved"].to_pylist()),
            "clusters_of_model": model.facts.clusters,
            "alpha_primary_label": krippendorff_alpha(labels, lambda label: "; ".join(sorted(label.primary))),
            "alpha_panel_type": krippendorff_alpha(labels, lambda label: label.panel_type),
        },
        preview=table.slice(0, PREVIEW_ROWS),
    )
    return result.add_written(written)


def _read_files(folder_url: str) -> dict[str, bytes]:
    fs, folder = fsspec.url_to_fs(folder_url)
    if not fs.exists(folder):
        return {}
    names = {path: path.rsplit("/", 1)[-1] for path in fs.ls(folder, detail=False)}
    return {name: fs.cat_file(path) for path, name in sorted(names.items()) if name.casefold().endswith(SUFFIXES)}


def majority_table(labels: Sequence[ClusterLabel]) -> pa.Table:
    """Give `models.cluster_labels`: what more than half of a cluster's annotators say; labels by cluster."""
    rows = [_majority(cluster_id, list(group)) for cluster_id, group in groupby(labels, lambda one: one.cluster_id)]
    return schema.MODELS_CLUSTER_LABELS.from_rows(rows)


def _majority(cluster_id: int, labels: list[ClusterLabel]) -> dict:
    locals_ = read_taxonomy().locals_
    primary = _most(labels, [name for one in labels for name in one.primary])
    secondary = [
        name for name in _most(labels, [n for one in labels for n in one.secondary]) if locals_[name].parent in primary
    ]
    panel_type = next(iter(_most(labels, [one.panel_type for one in labels if one.panel_type])), None)
    subtypes = [one.panel_subtype for one in labels if one.panel_subtype and one.panel_type == panel_type]
    return {
        "cluster_id": cluster_id,
        "panel_type": panel_type,
        "panel_subtype": next(iter(_most(labels, subtypes)), None),
        "primary_label": primary,
        "secondary_label": secondary,
        "annotators": [one.annotator for one in labels],
        "agreement": _agreement(labels),
        "is_resolved": bool(primary),
        "notes": [one.note for one in labels if one.note],
    }


def _most(labels: list[ClusterLabel], named: Iterable[str]) -> list[str]:
    return [name for name, count in sorted(Counter(named).items()) if count * 2 > len(labels)]


def _agreement(labels: list[ClusterLabel]) -> float:
    pairs = [set(one.primary) == set(other.primary) for one, other in combinations(labels, 2)]
    return sum(pairs) / len(pairs) if pairs else 1.0


def krippendorff_alpha(labels: Sequence[ClusterLabel], value_of: Callable[[ClusterLabel], str]) -> float | str:
    """Give Krippendorff's alpha of nominal values, 1 for perfect agreement; "" where no two annotators meet."""
    import krippendorff

    named = [(label.cluster_id, label.annotator, value) for label in labels if (value := value_of(label))]
    met = Counter(cluster_id for cluster_id, _, _ in named)
    pairable = [one for one in named if met[one[0]] > 1]
    clusters, annotators, values = (sorted({one[place] for one in pairable}) for place in range(3))
    if len(values) < 2:
        return 1.0 if values else ""
    codes = np.full((len(annotators), len(clusters)), np.nan)
    for cluster_id, annotator, value in pairable:
        codes[annotators.index(annotator), clusters.index(cluster_id)] = values.index(value)
    return round(float(krippendorff.alpha(codes, level_of_measurement="nominal")), 4)
