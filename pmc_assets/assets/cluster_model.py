"""What is learned from all partitions: the cluster model, proposals, contact sheets, the experts' labels."""

import dagster as dg

from pmc_assets import schema
from pmc_assets.annotations.cluster_fit import MAX_CLUSTERS, SAMPLE_IMAGES, fit_cluster_model
from pmc_assets.annotations.cluster_labels import publish_cluster_labels
from pmc_assets.annotations.cluster_model import current_model_id
from pmc_assets.annotations.contact_sheets import write_contact_sheets
from pmc_assets.annotations.proposals import propose_labels
from pmc_assets.assets.report import (
    OWNERS,
    asset_key,
    check_specs,
    counts_spec,
    materialization,
    picture,
    table_asset,
    timed,
)
from pmc_assets.lake import Partition
from pmc_assets.resources.encoder import EncoderResource
from pmc_assets.resources.lake import LakeResource
from pmc_assets.results import StageResult

MODEL = dg.AssetKey(["models", "cluster_model"])
SHEETS = dg.AssetKey(["models", "contact_sheets"])
PROPOSALS = asset_key(schema.MODELS_CLUSTER_PROPOSALS.name)
LABELS = asset_key(schema.MODELS_CLUSTER_LABELS.name)
FIGURES = asset_key(schema.CORE_FIGURES.name)


class ClusterModelConfig(dg.Config):
    """How clusters are fitted. The same vectors and seed give the same model id.

    A model that experts have named stays in use unless `replace_labelled`: their names hang on its clusters.
    """

    seed: int = 0
    max_clusters: int = MAX_CLUSTERS
    sample_images: int = SAMPLE_IMAGES
    replace_labelled: bool = False


class ClusterLabelsConfig(dg.Config):
    """Where the experts' files are: `<labels_url>/<model id>/*.csv`."""

    labels_url: str = "cluster_labels"


@dg.asset(
    key=MODEL,
    deps=[asset_key(schema.CORE_EMBEDDINGS.name)],
    group_name="models",
    kinds={"scikitlearn", "safetensors"},
    owners=OWNERS,
    description="PCA and k-means on a seeded, bounded sample of all partitions' vectors. It runs when asked, not for "
    "every new batch: new images are given the clusters of the model in use.\n\n"
    "Files: `models/cluster_model/<model id>/{model.safetensors,model.json}`, the model in use in "
    "`models/cluster_model/current.json`; the sample with its clusters in `models/cluster_members/model=<model id>/`.",
    check_specs=[counts_spec(MODEL, "Every image of the sample has its cluster")],
)
def models_cluster_model(
    config: ClusterModelConfig, lake: LakeResource, encoder: EncoderResource
) -> dg.MaterializeResult:
    """Fit a model and make it the one in use."""
    store = lake.open()
    with timed() as clock:
        model, written = fit_cluster_model(
            store,
            encoder.table_name,
            config.seed,
            max_clusters=config.max_clusters,
            sample_images=config.sample_images,
            replace_labelled=config.replace_labelled,
        )
    facts = {name: getattr(model.facts, name) for name in model.facts.__slots__}
    details = {"model_id": model.model_id, **facts}
    result = StageResult(model.facts.sample_images, written.rows, details=details).add_written(written)
    result.digest = model.model_id
    return materialization(MODEL, result, store, clock.seconds)


@dg.asset(
    **table_asset(schema.MODELS_CLUSTER_PROPOSALS),
    deps=[MODEL, FIGURES, asset_key(schema.CORE_SUBCAPTIONS.name)],
    check_specs=check_specs(PROPOSALS),
)
def models_cluster_proposals(lake: LakeResource) -> dg.MaterializeResult:
    """Propose a label for every cluster of the model in use."""
    store = lake.open()
    with timed() as clock:
        result = propose_labels(store)
    table, partition = schema.MODELS_CLUSTER_PROPOSALS, Partition.of(model=current_model_id(store))
    return materialization(PROPOSALS, result, store, clock.seconds, table=table, partition=partition)


@dg.asset(
    key=SHEETS,
    deps=[PROPOSALS],
    group_name="models",
    kinds={"html"},
    owners=OWNERS,
    description="What an expert looks at to name a cluster: its nearest and a random sample of its images with "
    "captions, its size, panels and proposal.\n\n"
    "Files: `models/contact_sheets/<model id>/index.html`, one PNG per cluster beside it, and `labels.csv`, the form "
    "to fill in.",
    check_specs=[counts_spec(SHEETS, "Every cluster is there")],
)
def models_contact_sheets(lake: LakeResource) -> dg.MaterializeResult:
    """Write the contact sheets of the model in use."""
    store = lake.open()
    with timed() as clock:
        result = write_contact_sheets(store)
    folder = result.paths[0].rsplit("/", 1)[0]
    metadata = {
        "page": dg.MetadataValue.url(f"{store.url}/{folder}/index.html"),
        "png_of_first_cluster": dg.MetadataValue.url(f"{store.url}/{folder}/cluster-00000.png"),
        "overview": picture(store.read_bytes(f"{folder}/overview.png")),
    }
    return materialization(SHEETS, result, store, clock.seconds, metadata=metadata)


@dg.asset(
    **table_asset(schema.MODELS_CLUSTER_LABELS, kinds=("parquet", "csv")),
    deps=[MODEL],
    check_specs=check_specs(LABELS),
)
def models_cluster_labels(config: ClusterLabelsConfig, lake: LakeResource) -> dg.MaterializeResult:
    """Take the experts' files of the model in use; a fault in any of them changes nothing."""
    store = lake.open()
    with timed() as clock:
        result = publish_cluster_labels(store, config.labels_url)
    table, partition = schema.MODELS_CLUSTER_LABELS, Partition.of(model=current_model_id(store))
    return materialization(LABELS, result, store, clock.seconds, table=table, partition=partition)
