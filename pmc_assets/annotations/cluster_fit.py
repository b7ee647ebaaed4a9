"""Fit the cluster model: PCA, then k-means, on a bounded sample. Applying it stays out."""

import math

import numpy as np
import pyarrow as pa

from pmc_assets import schema
from pmc_assets.annotations.cluster_model import CURRENT, ClusterModel, ModelFacts, load_cluster_model, place_in_cluster
from pmc_assets.annotations.cluster_sample import KEY, VectorSample, draw_sample, embedding_partitions
from pmc_assets.annotations.vectors import embeddings_partition
from pmc_assets.lake import Lake, Partition, Written

SAMPLE_IMAGES = 100_000
"""50 images per cluster at MAX_CLUSTERS; 100,000 float32 vectors of 1024 take 400 MB."""
MAX_CLUSTERS = 2_000
MAX_PCA_DIMENSIONS = 128
RESTARTS_TO_IMAGES = 20_000
MAX_ITERATIONS = 60


class TooFewImages(ValueError):
    """Clusters need vectors."""


def cluster_count(images: int, max_clusters: int = MAX_CLUSTERS) -> int:
    """Give k for a number of images: 2.5 per square root of the images, at most `max_clusters`.

    250 images make 40 clusters, 1,000 make 79, 640,000 and more make 2,000.
    """
    return max(1, min(max_clusters, round(2.5 * math.sqrt(images)), images))


def fit_cluster_model(
    lake: Lake,
    encoder_name: str,
    seed: int,
    *,
    max_clusters: int = MAX_CLUSTERS,
    sample_images: int = SAMPLE_IMAGES,
    replace_labelled: bool = False,
) -> tuple[ClusterModel, Written]:
    """Fit a model on a sample of an encoder's vectors, make it the current one, publish its sample as members.

    The same vectors and seed give the same id. A model whose clusters experts have named stays as it is, since their
    names hang on it, unless `replace_labelled`. Raises: TooFewImages, MixedEncoders.
    """
    labelled = None if replace_labelled else labelled_model(lake, encoder_name)
    if labelled is not None:
        members = lake.read_table(schema.MODELS_CLUSTER_MEMBERS, Partition.of(model=labelled.model_id))
        return labelled, Written(rows=members.num_rows)
    sample = draw_sample(lake, encoder_name, seed, sample_images)
    if not len(sample.ranks):
        raise TooFewImages(
            f"no vectors of {encoder_name!r}: run core/embeddings first, of a batch whose articles have images"
        )
    model = fit(sample, seed, cluster_count(sample.images, max_clusters))
    model_id = model.save(lake)
    members = _members(sample, model)
    return model, lake.write_table(schema.MODELS_CLUSTER_MEMBERS, members, Partition.of(model=model_id))


def labelled_model(lake: Lake, encoder_name: str) -> ClusterModel | None:
    """Give the model in use if experts have named its clusters and it fits the encoder's vectors of today."""
    if not lake.exists(CURRENT):
        return None
    model = load_cluster_model(lake)
    labels = lake.read_table(schema.MODELS_CLUSTER_LABELS, Partition.of(model=model.model_id))
    cells = embedding_partitions(lake, encoder_name)
    if not labels.num_rows or not cells or model.facts.encoder != encoder_name:
        return None
    cell = embeddings_partition(cells[0], encoder_name)
    versions = lake.read_table(schema.CORE_EMBEDDINGS, cell, ["encoder_version"])["encoder_version"]
    return model if versions[0].as_py() == model.facts.encoder_version else None


def fit(sample: VectorSample, seed: int, clusters: int) -> ClusterModel:
    """Fit PCA and k-means to a sample, on one thread: sums in one order give the same bits every time.

    No more clusters than there are different vectors.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    vectors = sample.vectors.astype(np.float32)
    dimensions = min(MAX_PCA_DIMENSIONS, vectors.shape[1], len(vectors))
    clusters = min(clusters, len({hash(vector.tobytes()) for vector in sample.vectors}))
    with threadpool_limits(1), np.errstate(invalid="ignore"):  # shares of no variance at all
        several = vectors if len(vectors) > 1 else np.tile(vectors, (2, 1))
        pca = PCA(dimensions, svd_solver="covariance_eigh").fit(several)  # pyrefly: ignore[bad-argument-type]
        components = pca.components_.T.astype(np.float32)
        points = vectors @ components - pca.mean_.astype(np.float32) @ components
        restarts = 4 if len(points) <= RESTARTS_TO_IMAGES else 1
        means = KMeans(clusters, n_init=restarts, max_iter=MAX_ITERATIONS, random_state=seed, copy_x=False).fit(points)
    facts = ModelFacts(
        encoder=sample.encoder,
        encoder_version=sample.encoder_version,
        seed=seed,
        images=sample.images,
        sample_images=len(points),
        dimensions=vectors.shape[1],
        pca_dimensions=dimensions,
        clusters=clusters,
        explained_variance=round(float(np.nan_to_num(pca.explained_variance_ratio_).sum()), 6),
        inertia=round(float(means.inertia_), 4),
    )
    arrays = (pca.mean_, pca.components_, means.cluster_centers_)
    return ClusterModel(facts, *(array.astype(np.float32) for array in arrays))


def _members(sample: VectorSample, model: ClusterModel) -> pa.Table:
    """Give the sample with its clusters, by cluster and nearness: what proposals and contact sheets look at."""
    assigned = model.assign(sample.vectors, sample.encoder_version)
    order = np.lexsort((sample.ranks, assigned.distances, assigned.cluster_ids))
    keys = sample.keys.take(pa.array(order))
    columns = {
        "cluster_id": pa.array(assigned.cluster_ids[order]),
        "nearness": pa.array(place_in_cluster(assigned.cluster_ids[order])),
        **{name: keys[name] for name in [*KEY, "license_group", "batch", "image_sha256", "gutter_panel_count"]},
        "distance": pa.array(assigned.distances[order]),
    }
    return pa.table(columns, schema=schema.MODELS_CLUSTER_MEMBERS.arrow)
