"""A seeded, bounded sample of the vectors of all partitions, the same whatever the order they are read in."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pmc_assets import schema
from pmc_assets.annotations.vectors import embeddings_partition, vector_matrix
from pmc_assets.lake import Lake, Partition

KEY = list(schema.CORE_EMBEDDINGS.key)
KEPT = [*KEY, "image_sha256", "gutter_panel_count"]
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_STEP = np.uint64(0x9E3779B97F4A7C15)


class MixedEncoders(ValueError):
    """Partitions of one encoder hold vectors of different versions."""


@dataclass(slots=True)
class VectorSample:
    """Images in order of `ranks`: `keys` (image key, sha256, panels, cell) and float16 `vectors`.

    `images` counts those that the sample was drawn from, equal ones of a cell once.
    """

    encoder: str
    encoder_version: str
    keys: pa.Table
    vectors: np.ndarray
    ranks: np.ndarray = field(repr=False)
    images: int = 0


def embedding_partitions(lake: Lake, encoder_name: str) -> list[Partition]:
    """List the cells that hold vectors of an encoder, by batch and licence group."""
    root = f"core/embeddings/encoder={encoder_name}"
    found = map(Partition.from_path, lake.find(root, "/embeddings.parquet"))
    cells = [Partition.of(license_group=cell["license_group"], batch=cell["batch"]) for cell in found]
    return sorted(cells, key=lambda cell: (cell["batch"], cell["license_group"]))


def draw_sample(lake: Lake, encoder_name: str, seed: int, max_images: int) -> VectorSample:
    """Draw `max_images` distinct images at random: those whose seeded hash of the image's digest is smallest.

    Memory: the sample and one partition.
    Empty: a sample without rows where there is no partition.
    Raises: MixedEncoders.
    """
    kept = VectorSample(encoder_name, "", _empty_keys(), np.zeros((0, 0), np.float16), np.zeros(0, np.uint64))
    for cell in embedding_partitions(lake, encoder_name):
        target = embeddings_partition(cell, encoder_name)
        rows = lake.read_table(schema.CORE_EMBEDDINGS, target)
        kept.encoder_version = _one_version(rows, kept.encoder_version, target)
        ranks = sample_ranks(rows["image_sha256"], seed)
        kept.images += len(np.unique(ranks))
        kept = _merged(kept, _with_cell(rows.select(KEPT), cell), rows["vector"], ranks, max_images)
    return kept


def sample_ranks(digests: pa.ChunkedArray, seed: int) -> np.ndarray:
    """Hash sha256 texts with a seed to uint64 (splitmix64 over their first 64 bits)."""
    if not len(digests):
        return np.zeros(0, np.uint64)
    heads = "".join(pc.utf8_slice_codeunits(digests, 0, 16).to_pylist())
    numbers = np.frombuffer(bytes.fromhex(heads), dtype=">u8").astype(np.uint64)
    with np.errstate(over="ignore"):
        numbers += _STEP * np.uint64(seed + 1)
        numbers = (numbers ^ (numbers >> np.uint64(30))) * _MIX[0]
        numbers = (numbers ^ (numbers >> np.uint64(27))) * _MIX[1]
        return numbers ^ (numbers >> np.uint64(31))


def _merged(
    kept: VectorSample, keys: pa.Table, column: pa.ChunkedArray, ranks: np.ndarray, max_images: int
) -> VectorSample:
    all_ranks = np.concatenate([kept.ranks, ranks])
    _, first = np.unique(all_ranks, return_index=True)
    chosen = first[:max_images]
    old, new = chosen[chosen < len(kept.ranks)], chosen[chosen >= len(kept.ranks)] - len(kept.ranks)
    vectors = vector_matrix(column.take(pa.array(new)))
    order = np.argsort(all_ranks[np.concatenate([old, new + len(kept.ranks)])], kind="stable")
    merged_keys = pa.concat_tables([kept.keys.take(pa.array(old)), keys.take(pa.array(new))]).take(pa.array(order))
    parts = [part for part in (kept.vectors[old], vectors) if len(part)]
    merged = np.concatenate(parts)[order] if parts else kept.vectors
    return VectorSample(kept.encoder, kept.encoder_version, merged_keys, merged, all_ranks[chosen], kept.images)


def _one_version(rows: pa.Table, before: str, target: Partition) -> str:
    versions = set(pc.unique(rows["encoder_version"]).to_pylist()) | ({before} if before else set())
    if len(versions) > 1:
        raise MixedEncoders(
            f"{target.path} adds vectors of another encoder version ({', '.join(sorted(versions))}): "
            "run core/embeddings for all partitions with one version first"
        )
    return versions.pop()


def _with_cell(keys: pa.Table, cell: Partition) -> pa.Table:
    for name, value in cell.values:
        keys = keys.append_column(name, pa.array([value] * keys.num_rows, pa.string()))
    return keys.replace_schema_metadata(None).cast(_empty_keys().schema)


def _empty_keys() -> pa.Table:
    fields = [schema.CORE_EMBEDDINGS.arrow.field(name).remove_metadata() for name in KEPT]
    return pa.schema([*fields, pa.field("license_group", pa.string()), pa.field("batch", pa.string())]).empty_table()
