"""Text and JSON members of samples as tar bytes, put together and kept until their place is known."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pmc_assets.blocks import write_all
from pmc_assets.shards import tar

MEMORY_BYTES = 64 * 2**20
TEXT_EXTENSION, JSON_EXTENSION = "txt", "json"


class Article(NamedTuple):
    """What the samples of an article share: `json` is a part of their JSON member, a comma before it and behind."""

    pmcid: str
    version: int
    says_types: int
    json: bytes


class Tail(NamedTuple):
    """The text and JSON members of one sample: sizes of their contents, and where the tar bytes are kept."""

    text_size: int
    json_size: int
    size: int
    kept: memoryview | int


class Tails:
    """Puts tails together. The first 64 MiB are kept in memory, the others in a scratch file."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("w+b", buffering=0)
        self.file_bytes = 0
        self.memory_bytes = 0

    def __enter__(self) -> "Tails":
        return self

    def clear(self) -> None:
        """Forget all tails."""
        self.memory_bytes = self.file_bytes = 0

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def add(self, keys: list[str], rows: pa.RecordBatch, articles: list[Article]) -> tuple[memoryview, Iterator[Tail]]:
        """Add samples as `samples_sql` gives them, with the key and the article of each; give all as one, and each."""
        shared = [article.json for article in articles]
        texts, before, after = utf8(rows["text"]), utf8(rows["before"], end=-1), utf8(rows["after"], start=1)
        text_sizes = list(map(len, texts))
        json_sizes = [len(one) + len(two) + len(three) for one, two, three in zip(before, shared, after, strict=True)]
        members = zip(
            tar.headers([f"{key}.{TEXT_EXTENSION}" for key in keys], text_sizes),
            texts,
            map(tar.padding, text_sizes),
            tar.headers([f"{key}.{JSON_EXTENSION}" for key in keys], json_sizes),
            before,
            shared,
            after,
            map(tar.padding, json_sizes),
            strict=True,
        )
        content = memoryview(b"".join(itertools.chain.from_iterable(members)))
        sizes = [
            2 * tar.BLOCK_BYTES + tar.padded(text) + tar.padded(json)
            for text, json in zip(text_sizes, json_sizes, strict=True)
        ]
        return content, map(Tail, text_sizes, json_sizes, sizes, self._keep(content, sizes))

    def _keep(self, content: memoryview, sizes: list[int]) -> Iterator[memoryview | int]:
        starts = itertools.accumulate(sizes, initial=0)
        if self.memory_bytes + len(content) <= MEMORY_BYTES:
            self.memory_bytes += len(content)
            return (content[start:end] for start, end in itertools.pairwise(starts))
        offset = self.file_bytes
        write_all(self.file.fileno(), content, offset)
        self.file_bytes += len(content)
        return (offset + start for start, _ in itertools.pairwise(starts))

    def read(self, tail: Tail, room: memoryview) -> None:
        """Copy a tail into a buffer of its size."""
        if isinstance(tail.kept, memoryview):
            room[:] = tail.kept
        elif os.preadv(self.file.fileno(), [room], tail.kept) != len(room):
            raise EOFError("a scratch file of the tails ends early")


def utf8(column: pa.Array, start: int = 0, end: int = 0) -> list[memoryview]:
    """Give the bytes of each text, from `start` and up to `end` counted from its end, none of them copied."""
    texts = column.cast(pa.large_string())
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1].tolist()
    content = memoryview(data) if data is not None else memoryview(b"")
    return [content[first + start : last + end] for first, last in itertools.pairwise(ends)]
