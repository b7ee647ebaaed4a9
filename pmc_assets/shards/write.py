"""Write out.shards: WebDataset tars, an index beside each, sizes.json; the folder of a partition is whole or absent."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pmc_assets.batches import pmcid_number
from pmc_assets.lake import Lake, Partition
from pmc_assets.rejects import Reject, rejects_table
from pmc_assets.results import StageResult, count_reasons
from pmc_assets.shards import plan, tar
from pmc_assets.shards.images import ImageReader
from pmc_assets.shards.index import write_index
from pmc_assets.shards.plan import Rendered
from pmc_assets.shards.render import IMAGE_EXTENSION, Rendering, open_samples, render

TABLE_NAME = "out.shards"
SIZES_NAME = "sizes.json"
THREADS = 2


def write_shards(
    lake: Lake,
    partition: Partition,
    *,
    include_article_text: bool = False,
    seed: int = plan.SHUFFLE_SEED,
    most_samples: int = plan.SAMPLES_PER_SHARD,
    most_bytes: int = plan.SHARD_BYTES,
    threads: int = THREADS,
) -> StageResult:
    """Write the shards of one partition of out.samples.

    Shape: `00000.tar` ... with members `<key>.jpg`, `<key>.txt`, `<key>.json` in shuffled order; `00000.parquet` with
    a row per sample in the tar's order; `sizes.json`, samples per tar. No samples, no folder.
    """
    target = lake.partition_path(TABLE_NAME, partition)
    with lake.scratch() as scratch:
        rendering = render(lake, partition, scratch, include_article_text, threads)
        shards = plan.pack(plan.shuffled(rendering.samples, seed), most_samples, most_bytes)
        folder = scratch / "shards"
        folder.mkdir()
        digest = _write_folder(lake, partition, rendering, shards, folder, scratch)
        size_bytes = sum(file.stat().st_size for file in folder.iterdir())
        if shards:
            lake.publish_folder(folder, target, last=SIZES_NAME)
        else:
            lake.delete(target)
    rejects = rejects_table(sorted(rendering.rejects, key=_article_order))
    lake.write_rejects("shards", rejects, partition)
    return StageResult(
        listed=len(rendering.samples) + len(rendering.rejects),
        stored=len(rendering.samples),
        rejected=count_reasons(rejects),
        rows=len(rendering.samples),
        size_bytes=size_bytes,
        digest=digest,
        paths=[f"{target}/{stem(number)}.tar" for number in range(len(shards))],
        details={
            "shards": len(shards),
            "transcoded": sum(sample.jpeg_offset is not None for sample in rendering.samples),
        },
    )


def stem(number: int) -> str:
    """Name a shard: its tar and its index share the stem."""
    return f"{number:05d}"


def _article_order(reject: Reject) -> tuple:
    return pmcid_number(reject.pmcid or "PMC0"), reject.version or 0, reject.name or ""


def _write_folder(
    lake: Lake, partition: Partition, rendering: Rendering, shards: list[list[Rendered]], folder: Path, scratch: Path
) -> str:
    digest = hashlib.sha256()
    with (
        open_samples(lake, partition, scratch) as samples,
        rendering.tails.open("rb", buffering=0) as tails,
        rendering.jpegs.open("rb", buffering=0) as jpegs,
    ):
        for number, shard in enumerate(shards):
            with (folder / f"{stem(number)}.tar").open("wb", buffering=0) as file:
                for piece in _pieces(lake, shard, tails, jpegs, digest):
                    file.write(piece)
                file.write(tar.END)
            index = folder / f"{stem(number)}.parquet"
            write_index(samples, plan.place(number, shard), index)
            digest.update(index.read_bytes())
        sizes = {f"{stem(number)}.tar": len(shard) for number, shard in enumerate(shards)}
        (folder / SIZES_NAME).write_text(json.dumps(sizes, indent=1) + "\n")
    return digest.hexdigest()


def _pieces(
    lake: Lake, shard: list[Rendered], tails: IO[bytes], jpegs: IO[bytes], digest: "hashlib._Hash"
) -> Iterator[bytes]:
    with ImageReader(lake) as reader:
        originals = reader.read_all(sample.place for sample in shard if sample.jpeg_offset is None)
        for sample in shard:
            image = (
                next(originals)
                if sample.jpeg_offset is None
                else _read_at(jpegs, sample.jpeg_offset, sample.image_size)
            )
            tail = _read_at(tails, sample.tail_offset, sample.tail_size)
            digest.update(tail)
            yield tar.header(f"{sample.key}.{IMAGE_EXTENSION}", sample.image_size)
            yield image
            yield tar.padding(sample.image_size) + tail


def _read_at(file: IO[bytes], offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)
