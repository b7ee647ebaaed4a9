"""Which sample goes into which shard, where, and in which order. Bytes stay out."""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from pmc_assets.shards import tar

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
    text_size: int
    json_size: int
    tail_offset: int
    tail_size: int
    image_size: int
    jpeg_offset: int | None = None

    @property
    def size(self) -> int:
        return tar.BLOCK_BYTES + tar.padded(self.image_size) + self.tail_size


class Placed(NamedTuple):
    """One sample in its shard: offsets and sizes of the members' content, in bytes."""

    sample_key: str
    position: int
    sample_offset_bytes: int
    sample_size_bytes: int
    image_offset_bytes: int
    image_size_bytes: int
    text_offset_bytes: int
    text_size_bytes: int
    json_offset_bytes: int
    json_size_bytes: int


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
    shards: list[list[Rendered]] = []
    left = 0
    for sample in samples:
        if not shards or len(shards[-1]) >= most_samples or sample.size > left:
            shards.append([])
            left = most_bytes - len(tar.END)
        shards[-1].append(sample)
        left -= sample.size
    return [witnesses_first(shard) for shard in shards]


def witnesses_first(shard: list[Rendered]) -> list[Rendered]:
    """Move up to five samples to the front that together show the type of every key that the shard can show.

    Readers that infer types from the first samples (Hugging Face: five) then see no null or empty list where a later
    sample has a value.
    """
    known = 0
    chosen: list[int] = []
    while len(chosen) < min(WITNESSES, len(shard)):
        best = max(range(len(shard)), key=lambda index: (shard[index].says_types & ~known).bit_count())
        if not shard[best].says_types & ~known:
            break
        known |= shard[best].says_types
        chosen.append(best)
    first = set(chosen)
    return [shard[index] for index in chosen] + [s for index, s in enumerate(shard) if index not in first]


def place(samples: list[Rendered]) -> list[Placed]:
    """Compute the offsets of every sample of one shard."""
    placed, offset = [], 0
    for position, sample in enumerate(samples):
        image = offset + tar.BLOCK_BYTES
        text = image + tar.padded(sample.image_size) + tar.BLOCK_BYTES
        json = text + tar.padded(sample.text_size) + tar.BLOCK_BYTES
        placed.append(
            Placed(
                sample_key=sample.key,
                position=position,
                sample_offset_bytes=offset,
                sample_size_bytes=sample.size,
                image_offset_bytes=image,
                image_size_bytes=sample.image_size,
                text_offset_bytes=text,
                text_size_bytes=sample.text_size,
                json_offset_bytes=json,
                json_size_bytes=sample.json_size,
            )
        )
        offset += sample.size
    return placed
