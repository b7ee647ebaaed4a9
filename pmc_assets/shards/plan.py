"""Which sample goes into which shard, where, and in which order. Bytes stay out."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pmc_assets.shards import tar
from pmc_assets.shards.tails import Tail

SAMPLES_PER_SHARD = 10_000
SHARD_BYTES = 2**30
SHUFFLE_SEED = 0
WITNESSES = 5


@dataclass(slots=True)
class Rendered:
    """One sample before it is placed: sizes in bytes, and where its pieces wait.

    `tail` is the text and JSON members as tar bytes; `jpeg_offset` is set where the JPEG was made from another format.
    """

    key: str
    place: tuple[str, int, int]
    says_types: int
    tail: Tail
    image_size: int
    jpeg_offset: int | None = None

    @property
    def size(self) -> int:
        return tar.BLOCK_BYTES + tar.padded(self.image_size) + self.tail.size


def stem(number: int) -> str:
    """Name a file of a partition's shards, or of its Parquet: a tar and its index share the stem."""
    return f"{number:05d}"


def shuffled(samples: list[Rendered], seed: int = SHUFFLE_SEED) -> list[Rendered]:
    """Order samples by a keyed hash of their key: across articles, and the others stay in order when one is added."""
    return sorted(samples, key=lambda sample: _rank(sample.key, seed))


def _rank(key: str, seed: int) -> bytes:
    return hashlib.blake2b(key.encode(), key=seed.to_bytes(8), digest_size=16).digest()


def pack(
    samples: list[Rendered], most_samples: int = SAMPLES_PER_SHARD, most_bytes: int = SHARD_BYTES
) -> list[list[Rendered]]:
    """Cut samples into shards of at most so many samples and bytes; a larger single sample has its own shard.

    Shape: order kept, but for the witnesses at the head of each shard.
    """
    ends = np.cumsum([sample.size for sample in samples])
    shards: list[list[Rendered]] = []
    start = 0
    while start < len(samples):
        most_end = most_bytes - len(tar.END) + (int(ends[start - 1]) if start else 0)
        end = min(start + most_samples, max(start + 1, int(np.searchsorted(ends, most_end, side="right"))))
        shards.append(witnesses_first(samples[start:end]))
        start = end
    return shards


def witnesses_first(shard: list[Rendered]) -> list[Rendered]:
    """Move up to five samples to the front that together show the type of every key that the shard can show.

    Readers that infer types from the first samples (Hugging Face: five) then see no null or empty list where a later
    sample has a value.
    """
    known = 0
    chosen: list[int] = []
    kinds = {sample.says_types: index for index, sample in reversed(list(enumerate(shard)))}
    while len(chosen) < min(WITNESSES, len(shard)):
        best = max(sorted(kinds.values()), key=lambda index: (shard[index].says_types & ~known).bit_count())
        if not shard[best].says_types & ~known:
            break
        known |= shard[best].says_types
        chosen.append(best)
    first = set(chosen)
    return [shard[index] for index in chosen] + [s for index, s in enumerate(shard) if index not in first]


def place(samples: list[Rendered]) -> pa.Table:
    """Compute where every sample of one shard is.

    Shape: one row per sample: sample_key, and offset and size in bytes of the sample and its members' content, as the
    index names them.
    """
    image, text, json, sizes = (
        np.array(values, np.int64)
        for values in zip(*((s.image_size, s.tail.text_size, s.tail.json_size, s.size) for s in samples), strict=True)
    )
    start = np.cumsum(sizes) - sizes
    image_start = start + tar.BLOCK_BYTES
    text_start = image_start + tar.padded(image) + tar.BLOCK_BYTES
    json_start = text_start + tar.padded(text) + tar.BLOCK_BYTES
    places = {
        "sample": (start, sizes),
        "image": (image_start, image),
        "text": (text_start, text),
        "json": (json_start, json),
    }
    columns: dict[str, list[str] | np.ndarray] = {"sample_key": [sample.key for sample in samples]}
    for member, (offset, size) in places.items():
        columns |= {f"{member}_offset_bytes": offset, f"{member}_size_bytes": size}
    return pa.table(columns)
