"""Annotations of one partition: cluster, labels and panels per image. No image is decoded here."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pmc_assets import schema
from pmc_assets.annotations.cluster_model import ClusterModel, load_cluster_model
from pmc_assets.annotations.figure_texts import FigureText, read_concepts, read_figure_texts
from pmc_assets.annotations.proposals import top_locals
from pmc_assets.annotations.vectors import embeddings_partition, vector_matrix
from pmc_assets.lake import Lake, Partition
from pmc_assets.results import PREVIEW_ROWS, StageResult

KEY = list(schema.CORE_ANNOTATIONS.key)
KEY_AND_DIGEST = [*KEY, "image_sha256"]
MIN_PROPOSAL_CONFIDENCE = 0.5
"""A proposal with less of its cluster's votes gives way to what the image's own caption says."""
TYPESET_KINDS = ("formula", "table")


class MissingVectors(ValueError):
    """Images of a cell have no vectors of the model's encoder."""


@dataclass(frozen=True, slots=True)
class Label:
    """One image's label; `source` is expert, proposed or caption, None for no label."""

    primary: Sequence[str] = ()
    secondary: Sequence[str] = ()
    source: str | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class ClusterNames:
    """What is known of clusters by id: the experts' resolved rows and the proposals."""

    experts: dict[int, dict]
    proposals: dict[int, dict]

    def label(self, cluster_id: int, from_caption: Label) -> Label:
        """Choose an image's label: experts first, then a sure proposal, the caption, an unsure proposal."""
        expert, proposal = self.experts.get(cluster_id), self.proposals.get(cluster_id)
        if expert and expert["is_resolved"]:
            return Label(expert["primary_label"], expert["secondary_label"], "expert", expert["agreement"])
        proposed = _proposed(proposal)
        is_sure = (proposed.confidence or 0.0) >= MIN_PROPOSAL_CONFIDENCE
        first, second = (proposed, from_caption) if is_sure else (from_caption, proposed)
        return first if first.primary else second

    def panel_type(self, cluster_id: int) -> str | None:
        return (self.experts.get(cluster_id) or {}).get("panel_type")


def annotate_partition(lake: Lake, partition: Partition, model_id: str = "") -> StageResult:
    """Annotate every embedded image of a cell with a model (the one in use); publish `core.annotations`.

    Empty: a cell without images gives no rows.
    Raises: NoClusterModel, WrongEncoder, MissingVectors.
    """
    model = load_cluster_model(lake, model_id)
    rows = lake.read_table(schema.CORE_EMBEDDINGS, embeddings_partition(partition, model.facts.encoder))
    _require_vectors(lake, partition, rows, model.facts.encoder)
    texts = read_figure_texts(lake, partition)
    table = _table(rows, model, read_cluster_names(lake, model.model_id), texts)
    written = lake.write_table(schema.CORE_ANNOTATIONS, table, partition)
    result = StageResult(
        listed=rows.num_rows,
        stored=table.num_rows,
        details={"model_id": model.model_id, **_counts(table)},
        preview=table.slice(0, PREVIEW_ROWS),
    )
    return result.add_written(written)


def _require_vectors(lake: Lake, partition: Partition, vectors: pa.Table, encoder: str) -> None:
    images = lake.read_table(schema.CORE_IMAGES, partition, KEY_AND_DIGEST)
    rejects = lake.read_table(schema.CORE_REJECTS, partition, stem="embeddings")
    lacking = images.join(vectors.select(KEY_AND_DIGEST), KEY_AND_DIGEST, join_type="left anti").num_rows
    if lacking > rejects.num_rows:
        raise MissingVectors(
            f"{lacking - rejects.num_rows} images of {partition.path} have no vector of {encoder!r}, the encoder of "
            "the cluster model in use: run core/embeddings with that encoder, or models/cluster_model for another one"
        )


def read_cluster_names(lake: Lake, model_id: str) -> ClusterNames:
    cell = Partition.of(model=model_id)
    labels = lake.read_table(schema.MODELS_CLUSTER_LABELS, cell).to_pylist()
    proposals = lake.read_table(schema.MODELS_CLUSTER_PROPOSALS, cell).to_pylist()
    return ClusterNames({row["cluster_id"]: row for row in labels}, {row["cluster_id"]: row for row in proposals})


def caption_label(text: FigureText) -> Label:
    """Label an image by its caption alone, or by the kind of its figure; several concepts share the confidence."""
    concepts = read_concepts(text)
    names = concepts.top()
    if not names:
        return Label()
    confidence = concepts.globals_[names[0]] / concepts.globals_.total()
    return Label(names, top_locals(concepts, names), "caption", confidence)


def _proposed(row: dict | None) -> Label:
    if not row or not row["primary_label"]:
        return Label()
    return Label(row["primary_label"], row["secondary_label"], "proposed", row["confidence"])


def _table(rows: pa.Table, model: ClusterModel, names: ClusterNames, texts: dict) -> pa.Table:
    if not rows.num_rows:
        return schema.CORE_ANNOTATIONS.empty()
    assigned = model.assign(vector_matrix(rows["vector"]), rows["encoder_version"][0].as_py())
    clusters = assigned.cluster_ids.tolist()
    facts = rows.drop(["vector"]).to_pylist()
    annotated = []
    for row, cluster_id in zip(facts, clusters, strict=True):
        text = texts.get((row["pmcid"], row["version"], row["figure_index"]), FigureText())
        own = caption_label(text)
        annotated.append(
            {name: row[name] for name in KEY}
            | {"model_id": model.model_id, "cluster_id": cluster_id}
            | _label_columns(names.label(cluster_id, own), own)
            | _panel_columns(row, text, names.panel_type(cluster_id))
        )
    table = schema.CORE_ANNOTATIONS.from_rows(annotated)
    for name, values in (("distance", assigned.distances), ("margin", assigned.margins)):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pa.array(values))
    return table


def _label_columns(label: Label, own: Label) -> dict:
    return {
        "primary_label": list(label.primary),
        "secondary_label": list(label.secondary),
        "label_source": label.source,
        "label_confidence": label.confidence,
        "caption_label": list(own.primary),
        "is_label_disputed": bool(own.primary and label.primary) and not set(own.primary) & set(label.primary),
    }


def _panel_columns(row: dict, text: FigureText, cluster_panel_type: str | None) -> dict:
    """Join what the gutters and the caption's letters say; letters of a figure with several graphics are shared out.

    The gaps in a picture of a formula or table are no gutters.
    """
    is_typeset = text.kind in TYPESET_KINDS
    seen, subtype = (1, "one") if is_typeset else (row["gutter_panel_count"], row["gutter_panel_subtype"])
    lettered = len(text.panel_ids) if text.graphic_count == 1 else 0
    source = "image"
    if lettered > 1:
        source = "both" if seen > 1 else "caption"
        subtype = subtype if seen > 1 else "mixed"
    panel_type = "multiple" if max(seen, lettered) > 1 else "single"
    return {
        "panel_type": panel_type,
        "panel_subtype": subtype,
        "panel_count": max(seen, lettered, 1),
        "panel_source": source,
        "cluster_panel_type": cluster_panel_type,
        "is_panel_disputed": cluster_panel_type is not None and cluster_panel_type != panel_type,
    }


def _counts(table: pa.Table) -> dict[str, int | float | str | bool]:
    sources = table["label_source"].to_pylist()
    panels = table["panel_type"].to_pylist()
    return {
        **{f"label_source/{source}": sources.count(source) for source in ("expert", "proposed", "caption")},
        "unlabelled": sources.count(None),
        "multiple_panels": panels.count("multiple"),
        "labels_disputed": sum(table["is_label_disputed"].to_pylist()),
        "panels_disputed": sum(table["is_panel_disputed"].to_pylist()),
    }
