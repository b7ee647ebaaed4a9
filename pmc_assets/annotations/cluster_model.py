"""The cluster model: PCA and cluster centres, kept as safetensors and JSON. How it is fitted stays out."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from threadpoolctl import threadpool_limits

from pmc_assets.lake import Lake

FOLDER = "models/cluster_model"
CURRENT = f"{FOLDER}/current.json"
BLOCK_ROWS = 4_096


class NoClusterModel(FileNotFoundError):
    """No cluster model was fitted in this lake."""


class WrongEncoder(ValueError):
    """Vectors of another encoder than the model's."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What model.json says beside the id."""

    encoder: str
    encoder_version: str
    seed: int
    images: int
    sample_images: int
    dimensions: int
    pca_dimensions: int
    clusters: int
    explained_variance: float
    inertia: float


@dataclass(frozen=True, slots=True)
class Assigned:
    """Per vector: nearest cluster, Euclidean distance to its centre in PCA space, how much farther the second is."""

    cluster_ids: np.ndarray
    distances: np.ndarray
    margins: np.ndarray


@dataclass(frozen=True)
class ClusterModel:
    """`mean` (d), `components` (p, d), `centres` (k, p), all float32."""

    facts: ModelFacts
    mean: np.ndarray
    components: np.ndarray
    centres: np.ndarray

    @cached_property
    def model_id(self) -> str:
        """A digest of the arrays and facts."""
        digest = hashlib.sha256(json.dumps(asdict(self.facts), sort_keys=True).encode())
        for array in (self.mean, self.components, self.centres):
            digest.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
        return digest.hexdigest()[:16]

    @threadpool_limits.wrap(limits=1)
    def assign(self, vectors: np.ndarray, encoder_version: str) -> Assigned:
        """Find each vector's cluster, block by block, on one thread: the same bits on any number of cores.

        Raises: WrongEncoder.
        """
        if len(vectors) and encoder_version != self.facts.encoder_version:
            raise WrongEncoder(f"vectors of {encoder_version}, model of {self.facts.encoder_version}")
        blocks = [self._nearest(vectors[start : start + BLOCK_ROWS]) for start in range(0, len(vectors), BLOCK_ROWS)]
        joined = [np.concatenate(column) for column in zip(*blocks, strict=True)] if blocks else [np.zeros(0)] * 3
        return Assigned(joined[0].astype(np.int32), joined[1].astype(np.float32), joined[2].astype(np.float32))

    @threadpool_limits.wrap(limits=1)
    def neighbours(self, count: int) -> np.ndarray:
        """Give each cluster's nearest other clusters, nearest first. Shape: (k, min(count, k - 1))."""
        ids = []
        for start in range(0, len(self.centres), BLOCK_ROWS):
            squares = self._squares(self.centres[start : start + BLOCK_ROWS])
            squares[np.arange(len(squares)), start + np.arange(len(squares))] = np.inf
            ids.append(np.argsort(squares, axis=1, kind="stable")[:, : min(count, len(self.centres) - 1)])
        return np.concatenate(ids)

    def _nearest(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        squares = self._squares((vectors.astype(np.float32) - self.mean) @ self.components.T)
        nearest = squares.argmin(axis=1)
        rows = np.arange(len(squares))
        first = np.sqrt(squares[rows, nearest])
        squares[rows, nearest] = np.inf
        second = np.sqrt(squares.min(axis=1))
        return nearest, first, np.where(np.isfinite(second), second - first, 0.0)

    def _squares(self, points: np.ndarray) -> np.ndarray:
        squares = (points**2).sum(axis=1)[:, None] - 2 * points @ self.centres.T + (self.centres**2).sum(axis=1)
        return np.maximum(squares, 0.0)

    def save(self, lake: Lake) -> str:
        """Publish the model as a whole folder, then make it the current one. Shape: the model's id."""
        from safetensors.numpy import save_file

        arrays = {name: np.ascontiguousarray(getattr(self, name), np.float32) for name in _ARRAYS}
        model_id = self.model_id
        description = {"model_id": model_id} | asdict(self.facts)
        with lake.scratch() as folder:
            staged = folder / "model"
            staged.mkdir()
            save_file(arrays, staged / "model.safetensors")
            (staged / "model.json").write_text(json.dumps(description, indent=1) + "\n")
            lake.publish_folder(staged, f"{FOLDER}/{model_id}", last="model.json")
        lake.write_bytes(CURRENT, json.dumps({"model_id": model_id}).encode() + b"\n")
        return model_id


def place_in_cluster(sorted_ids: np.ndarray) -> np.ndarray:
    """Give each member's place in its cluster, from 0."""
    starts = np.searchsorted(sorted_ids, sorted_ids)
    return (np.arange(len(sorted_ids)) - starts).astype(np.int32)


_ARRAYS = ("mean", "components", "centres")


def current_model_id(lake: Lake) -> str:
    """Give the id of the model in use.

    Raises: NoClusterModel.
    """
    if not lake.exists(CURRENT):
        raise NoClusterModel(f"{lake.url} has no cluster model: run models/cluster_model first")
    return json.loads(lake.read_bytes(CURRENT))["model_id"]


def load_cluster_model(lake: Lake, model_id: str = "") -> ClusterModel:
    """Load a model by its id, or the one in use.

    Raises: NoClusterModel.
    """
    from safetensors.numpy import load

    folder = f"{FOLDER}/{model_id or current_model_id(lake)}"
    if not lake.exists(f"{folder}/model.json"):
        raise NoClusterModel(f"{lake.url}/{folder} is absent: run models/cluster_model first")
    facts = json.loads(lake.read_bytes(f"{folder}/model.json"))
    facts.pop("model_id")
    return ClusterModel(ModelFacts(**facts), **load(lake.read_bytes(f"{folder}/model.safetensors")))
