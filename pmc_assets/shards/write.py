"""Write out.shards: WebDataset tars, an index beside each, sizes.json; the folder of a partition is whole or absent."""

import hashlib
import json
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from pmc_assets.blocks import BlockWriter, allocate, write_all
from pmc_assets.lake import Lake, Partition
from pmc_assets.rejects import reject_order, rejects_table
from pmc_assets.results import StageResult, count_reasons
from pmc_assets.shards import plan, tar
from pmc_assets.shards.images import ImageReader
from pmc_assets.shards.index import write_index
from pmc_assets.shards.plan import Rendered
from pmc_assets.shards.render import IMAGE_EXTENSION, Rendering, render
from pmc_assets.shards.tails import Tails

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
        folder = scratch / "shards"
        folder.mkdir()
        with Tails(scratch / "tails") as tails:
            rendering = render(lake, partition, scratch, tails, include_article_text, threads)
            shards = plan.pack(plan.shuffled(rendering.samples, seed), most_samples, most_bytes)
            digest = _write_folder(lake, partition, rendering, shards, folder, threads)
        size_bytes = sum(file.stat().st_size for file in folder.iterdir())
        if shards:
            lake.publish_folder(folder, target, last=SIZES_NAME)
        else:
            lake.delete(target)
    rejects = rejects_table(sorted(rendering.rejects, key=reject_order))
    lake.write_rejects("shards", rejects, partition)
    return StageResult(
        listed=len(rendering.samples) + len(rendering.rejects),
        stored=len(rendering.samples),
        rejected=count_reasons(rejects),
        rows=len(rendering.samples),
        size_bytes=size_bytes,
        digest=digest,
        paths=[f"{target}/{plan.stem(number)}.tar" for number in range(len(shards))],
        details={
            "shards": len(shards),
            "transcoded": sum(sample.jpeg_offset is not None for sample in rendering.samples),
        },
    )


def _write_folder(
    lake: Lake,
    partition: Partition,
    rendering: Rendering,
    shards: list[list[Rendered]],
    folder: Path,
    threads: int,
) -> str:
    digest = hashlib.sha256(rendering.digest.encode())
    for number, shard in enumerate(shards):
        places, index = plan.place(shard), folder / f"{plan.stem(number)}.parquet"
        with (folder / f"{plan.stem(number)}.tar").open("wb") as file, ThreadPoolExecutor(threads) as pool:
            runs = _start_tar(lake, rendering, shard, places, file.fileno(), pool, threads)
            write_index(lake, partition, places, index)
            for run in runs:
                run.result()
        digest.update(index.read_bytes())
    sizes = {f"{plan.stem(number)}.tar": len(shard) for number, shard in enumerate(shards)}
    (folder / SIZES_NAME).write_text(json.dumps(sizes, indent=1) + "\n")
    return digest.hexdigest()


def _start_tar(
    lake: Lake,
    rendering: Rendering,
    samples: list[Rendered],
    places: pa.Table,
    descriptor: int,
    pool: ThreadPoolExecutor,
    runs: int,
) -> list[Future[None]]:
    """Start to write one tar, each run of its samples at the offset that the plan gave it."""
    offsets, sizes = (places[f"sample_{what}_bytes"].to_numpy() for what in ("offset", "size"))
    end = int(offsets[-1] + sizes[-1])
    allocate(descriptor, end + len(tar.END))
    write_all(descriptor, tar.END, end)
    starts = range(0, len(samples), -(-len(samples) // runs))
    return [
        pool.submit(_write_run, lake, rendering, samples[start : start + starts.step], descriptor, int(offsets[start]))
        for start in starts
    ]


def _write_run(lake: Lake, rendering: Rendering, samples: list[Rendered], descriptor: int, offset: int) -> None:
    """Write neighbouring samples, the first at an offset."""
    with (
        ImageReader(lake) as reader,
        rendering.jpegs.open("rb", buffering=0) as jpegs,
        BlockWriter(descriptor, offset) as writer,
    ):
        originals = reader.fillers(sample.place for sample in samples if sample.jpeg_offset is None)
        names = [f"{sample.key}.{IMAGE_EXTENSION}" for sample in samples]
        headers = tar.headers(names, [sample.image_size for sample in samples])
        for sample, header in zip(samples, headers, strict=True):
            room = writer.room(sample.size)
            image_end, tail_start = tar.BLOCK_BYTES + sample.image_size, sample.size - sample.tail.size
            room[: tar.BLOCK_BYTES] = header
            image = room[tar.BLOCK_BYTES : image_end]
            if sample.jpeg_offset is None:
                next(originals)(image)
            elif os.preadv(jpegs.fileno(), [image], sample.jpeg_offset) != len(image):
                raise EOFError("a scratch file of JPEGs ends early")
            room[image_end:tail_start] = tar.padding(sample.image_size)
            rendering.tails.read(sample.tail, room[tail_start:])
