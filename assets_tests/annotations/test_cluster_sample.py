import hashlib
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from pmc_assets import schema
from pmc_assets.annotations.cluster_fit import TooFewImages, cluster_count, fit_cluster_model
from pmc_assets.annotations.cluster_model import NoClusterModel, WrongEncoder, load_cluster_model
from pmc_assets.annotations.cluster_sample import MixedEncoders, draw_sample
from pmc_assets.annotations.vectors import vector_column, vector_matrix
from pmc_assets.lake import Lake, Partition


def write_vectors(lake: Lake, batch: int, vectors: np.ndarray, version: str = "v1") -> None:
    count = len(vectors)
    digests = [hashlib.sha256(f"{batch}-{n}".encode()).hexdigest() for n in range(count)]
    columns = {
        "pmcid": [f"PMC{batch}{n:04d}" for n in range(count)],
        "version": pa.array([1] * count, pa.int32()),
        "figure_index": pa.array([0] * count, pa.int32()),
        "graphic_index": pa.array([0] * count, pa.int32()),
        "image_sha256": digests,
        "encoder_version": [version] * count,
        "gutter_panel_count": pa.array([1] * count, pa.int32()),
        "gutter_panel_subtype": ["one"] * count,
        "vector": vector_column(vectors),
    }
    cell = Partition.of(encoder="toy", license_group="other", batch=f"PMC0000{batch}xxxx")
    lake.write_table(schema.CORE_EMBEDDINGS, pa.table(columns), cell)


def blobs(seed: int, count: int, centres: int = 4, dimensions: int = 16) -> np.ndarray:
    drawn = np.random.default_rng(seed)
    middles = np.random.default_rng(0).normal(0, 1, (centres, dimensions))
    return (middles[drawn.integers(centres, size=count)] + drawn.normal(0, 0.05, (count, dimensions))).astype(
        np.float32
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path))
    for batch in range(4):
        write_vectors(lake, batch, blobs(batch, 100))
    return lake


def test_vectors_survive_the_lake(lake: Lake) -> None:
    cell = Partition.of(encoder="toy", license_group="other", batch="PMC00000xxxx")
    stored = vector_matrix(lake.read_table(schema.CORE_EMBEDDINGS, cell)["vector"])
    assert (stored == blobs(0, 100).astype(np.float16)).all()


def test_sample_is_bounded_seeded_and_spread(lake: Lake) -> None:
    sample, again, other = (draw_sample(lake, "toy", seed, 80) for seed in (1, 1, 2))
    assert sample.images == 400 and len(sample.vectors) == 80 == sample.keys.num_rows
    assert sample.keys.equals(again.keys) and (sample.vectors == again.vectors).all()
    assert not sample.keys.equals(other.keys)
    assert len(set(sample.keys["batch"].to_pylist())) == 4


def test_sample_rows_keep_their_vectors(lake: Lake) -> None:
    sample = draw_sample(lake, "toy", 1, 60)
    for key, vector in zip(sample.keys.to_pylist(), sample.vectors, strict=True):
        batch = int(key["batch"][7])
        assert (vector == blobs(batch, 100).astype(np.float16)[int(key["pmcid"][4:])]).all()


def test_model_is_the_same_again_and_after_loading(lake: Lake) -> None:
    model, _ = fit_cluster_model(lake, "toy", 3, max_clusters=4)
    again, _ = fit_cluster_model(lake, "toy", 3, max_clusters=4)
    loaded = load_cluster_model(lake)
    assert model.model_id == again.model_id == loaded.model_id
    vectors = blobs(9, 50)
    for one, other in zip(
        (model.assign(vectors, "v1").cluster_ids, model.assign(vectors, "v1").distances),
        (loaded.assign(vectors, "v1").cluster_ids, loaded.assign(vectors, "v1").distances),
        strict=True,
    ):
        assert (one == other).all()
    assert (model.assign(vectors, "v1").margins > 0).all()
    assert fit_cluster_model(lake, "toy", 4, max_clusters=4)[0].model_id != model.model_id


def test_model_that_experts_named_stays_until_it_is_replaced(lake: Lake) -> None:
    model, _ = fit_cluster_model(lake, "toy", 3, max_clusters=4)
    label = {"cluster_id": 0, "annotators": ["Ana"], "is_resolved": True, "primary_label": ["Maps"]}
    table = schema.MODELS_CLUSTER_LABELS.from_rows([label])
    lake.write_table(schema.MODELS_CLUSTER_LABELS, table, Partition.of(model=model.model_id))
    write_vectors(lake, 5, blobs(5, 100))
    kept, written = fit_cluster_model(lake, "toy", 3, max_clusters=4)
    assert (kept.model_id, written.rows) == (model.model_id, 400)
    assert fit_cluster_model(lake, "toy", 3, max_clusters=4, replace_labelled=True)[0].model_id != model.model_id


def test_no_pickle_in_the_model(lake: Lake) -> None:
    model, _ = fit_cluster_model(lake, "toy", 3, max_clusters=4)
    names = {path.rsplit("/", 1)[1] for path in lake.find(f"models/cluster_model/{model.model_id}")}
    assert names == {"model.json", "model.safetensors"}


def test_mixed_versions_are_refused(lake: Lake) -> None:
    write_vectors(lake, 3, blobs(3, 5), "v2")
    with pytest.raises(MixedEncoders, match="v1, v2"):
        fit_cluster_model(lake, "toy", 0)
    write_vectors(lake, 3, blobs(3, 5))
    model, _ = fit_cluster_model(lake, "toy", 0)
    with pytest.raises(WrongEncoder):
        model.assign(blobs(3, 5), "v2")


def test_nothing_to_fit_and_no_model_say_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(TooFewImages, match="core/embeddings"):
        fit_cluster_model(Lake(str(tmp_path)), "toy", 0)
    with pytest.raises(NoClusterModel, match="models/cluster_model"):
        load_cluster_model(Lake(str(tmp_path)))


def test_smallest_lakes_are_fitted(tmp_path: Path) -> None:
    for count in (1, 2, 3):
        lake = Lake(str(tmp_path / str(count)))
        write_vectors(lake, 0, blobs(0, count))
        model, _ = fit_cluster_model(lake, "toy", 0)
        assert model.assign(blobs(1, 4), "v1").cluster_ids.max() < model.facts.clusters == count


def test_equal_vectors_share_a_cluster_without_a_warning(tmp_path: Path) -> None:
    for clusters, vectors in ((1, np.zeros((4, 8))), (1, np.full((4, 8), 0.25)), (2, np.eye(8)[[0, 1, 0, 1]])):
        lake = Lake(str(tmp_path / f"{clusters}-{vectors[0, 0]}"))
        write_vectors(lake, 0, vectors)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model, _ = fit_cluster_model(lake, "toy", 0)
        assert model.facts.clusters == clusters


def test_number_of_cores_does_not_change_a_bit(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    vectors = blobs(0, 400, centres=40, dimensions=512)
    write_vectors(lake, 0, vectors)
    model, _ = fit_cluster_model(lake, "toy", 0)
    with threadpool_limits(1):
        one = model.assign(vectors, "v1").distances
    with threadpool_limits(2):
        two = model.assign(vectors, "v1").distances
    assert (one == two).all()


def test_cluster_count_follows_the_stated_rule() -> None:
    assert [cluster_count(n) for n in (1, 250, 1_000, 640_000, 25_000_000)] == [1, 40, 79, 2_000, 2_000]
