"""The index of nearest neighbours: one per encoder, kept current partition by partition. Asking it stays out."""

import json

import numpy as np
import pyarrow.parquet as pq
from usearch.index import Index

from pmc_assets.lake import Lake, Partition
from pmc_assets.results import StageResult
from pmc_assets.schema import CORE_EMBEDDINGS
from pmc_assets.warehouse.build import FILES
from pmc_assets.warehouse.listing import Snapshot, list_files
from pmc_assets.warehouse.packed_keys import pack

FOLDER = "search/embeddings"


class NoNeighbours(ValueError):
    """A key or an encoder without vectors, or a lake that cannot have an index."""


def index_path(encoder: str) -> str:
    return f"{FOLDER}/{encoder}.usearch"


def embedding_files(lake: Lake, encoder: str = "") -> dict[str, str]:
    """List the files of core.embeddings, of one encoder or all, as path to version; of a remote lake those that the
    list beside its warehouse names, since a web server lists nothing."""
    if lake.is_local or not lake.exists(FILES):
        files = list_files(lake, [CORE_EMBEDDINGS])[CORE_EMBEDDINGS.name]
    else:
        files = Snapshot.from_json(lake.read_bytes(FILES)).files[CORE_EMBEDDINGS.name]
    return {path: version for path, version in files.items() if not encoder or f"/encoder={encoder}/" in path}


def encoders(lake: Lake) -> list[str]:
    """List the encoders whose vectors the lake holds."""
    return sorted({Partition.from_path(path)["encoder"] for path in embedding_files(lake)})


def update_neighbours(lake: Lake, encoder: str) -> StageResult:
    """Add the vectors of new and changed partitions of one encoder to its index; publish it by one rename.

    Shape: HNSW over the cosine, vectors as int8, packed keys. A vector that left the lake stays in the index; answers
    leave it out.
    Raises: NoNeighbours for a remote lake.
    """
    if not lake.is_local:
        raise NoNeighbours(f"{lake.url}: an index of neighbours needs the lake in a local folder")
    files = embedding_files(lake, encoder)
    with lake.lock(index_path(encoder)):
        known = _known_partitions(lake, encoder)
        index = Index.restore(lake.full_path(index_path(encoder))) if known else None
        changed = [path for path, version in files.items() if known.get(path) != version]
        for path in changed:
            index = _add_partition(lake, index, path)
        if index is not None and changed:
            _publish(lake, index, encoder, files)
    count = 0 if index is None else len(index)
    return StageResult(
        listed=count,
        stored=count,
        rows=count,
        size_bytes=0 if index is None else lake.size_bytes(index_path(encoder)),
        details={"partitions_indexed": len(changed)},
        paths=[] if index is None else [index_path(encoder)],
    )


def _known_partitions(lake: Lake, encoder: str) -> dict[str, str]:
    state = _state_path(encoder)
    return json.loads(lake.read_bytes(state)) if lake.exists(state) and lake.exists(index_path(encoder)) else {}


def _state_path(encoder: str) -> str:
    return f"{FOLDER}/{encoder}.json"


def _add_partition(lake: Lake, index: Index | None, path: str) -> Index:
    with lake.open(path) as file:
        rows = pq.read_table(file)
    keys = np.fromiter(
        (pack(*key) for key in zip(*(rows[c].to_pylist() for c in CORE_EMBEDDINGS.key), strict=True)), np.uint64
    )
    vectors = np.stack(rows["vector"].to_numpy()).astype(np.float32)
    index = Index(ndim=vectors.shape[1], metric="cos", dtype="i8") if index is None else index
    replaced = keys[index.contains(keys)] if len(index) else keys[:0]
    if len(replaced):
        index.remove(replaced)
    index.add(keys, vectors)
    return index


def _publish(lake: Lake, index: Index, encoder: str, files: dict[str, str]) -> None:
    with lake.scratch() as scratch:
        local = scratch / "index.usearch"
        index.save(str(local))
        lake.publish_file(local, index_path(encoder))
    lake.write_bytes(_state_path(encoder), json.dumps(files, indent=0).encode())
