"""Write out.shards: WebDataset tars, an index beside each, sizes.json; the folder of a partition is whole or absent."""

import hashlib
import json
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import duckdb

from pmc_assets.lake import Lake, Partition
from pmc_assets.rejects import reject_order, rejects_table
from pmc_assets.results import StageResult, count_reasons
from pmc_assets.shards import plan, tar
from pmc_assets.shards.images import ImageReader
from pmc_assets.shards.index import write_index
from pmc_assets.shards.plan import Placed, Rendered
from pmc_assets.shards.render import IMAGE_EXTENSION, Rendering, open_samples, render

TABLE_NAME = "out.shards"
SIZES_NAME = "sizes.json"
THREADS = 2
RUNS_PER_SHARD = 8
WRITE_BYTES = 2**20


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
        with open_samples(lake, partition, scratch, articles=include_article_text) as samples:
            rendering = render(lake, partition, scratch, samples, include_article_text, threads)
            shards = plan.pack(plan.shuffled(rendering.samples, seed), most_samples, most_bytes)
            digest = _write_folder(lake, samples, rendering, shards, folder, threads)
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
        paths=[f"{target}/{stem(number)}.tar" for number in range(len(shards))],
        details={
            "shards": len(shards),
            "transcoded": sum(sample.jpeg_offset is not None for sample in rendering.samples),
        },
    )


def stem(number: int) -> str:
    """Name a shard: its tar and its index share the stem."""
    return f"{number:05d}"


def _write_folder(
    lake: Lake,
    samples: duckdb.DuckDBPyConnection,
    rendering: Rendering,
    shards: list[list[Rendered]],
    folder: Path,
    threads: int,
) -> str:
    digest = hashlib.sha256(rendering.digest.encode())
    for number, shard in enumerate(shards):
        placed, index = plan.place(shard), folder / f"{stem(number)}.parquet"
        with (folder / f"{stem(number)}.tar").open("wb") as file, ThreadPoolExecutor(threads) as pool:
            runs = _start_tar(lake, rendering, list(zip(shard, placed, strict=True)), file.fileno(), pool)
            write_index(samples, placed, index)
            for run in runs:
                run.result()
        digest.update(index.read_bytes())
    sizes = {f"{stem(number)}.tar": len(shard) for number, shard in enumerate(shards)}
    (folder / SIZES_NAME).write_text(json.dumps(sizes, indent=1) + "\n")
    return digest.hexdigest()


def _start_tar(
    lake: Lake,
    rendering: Rendering,
    samples: list[tuple[Rendered, Placed]],
    descriptor: int,
    pool: ThreadPoolExecutor,
) -> list[Future[None]]:
    """Start to write one tar, each run of its samples at the offsets that the plan gave them."""
    _, last = samples[-1]
    os.pwrite(descriptor, tar.END, last.sample_offset_bytes + last.sample_size_bytes)
    length = -(-len(samples) // RUNS_PER_SHARD)
    runs = [samples[start : start + length] for start in range(0, len(samples), length)]
    return [pool.submit(_write_run, lake, rendering, run, descriptor) for run in runs]


def _write_run(lake: Lake, rendering: Rendering, samples: list[tuple[Rendered, Placed]], descriptor: int) -> None:
    """Write neighbouring samples through one buffer, which is large enough for any of them."""
    buffer = memoryview(bytearray(max(WRITE_BYTES, *(placed.sample_size_bytes for _, placed in samples))))
    with (
        ImageReader(lake) as reader,
        rendering.tails.open("rb", buffering=0) as tails,
        rendering.jpegs.open("rb", buffering=0) as jpegs,
    ):
        originals = reader.fillers(sample.place for sample, _ in samples if sample.jpeg_offset is None)
        start = end = samples[0][1].sample_offset_bytes
        for sample, placed in samples:
            if end - start + sample.size > len(buffer):
                _write_all(descriptor, buffer[: end - start], start)
                start = end
            slot = buffer[end - start : end - start + sample.size]
            image_end, tail_start = tar.BLOCK_BYTES + sample.image_size, sample.size - sample.tail_size
            slot[: tar.BLOCK_BYTES] = tar.header(f"{sample.key}.{IMAGE_EXTENSION}", sample.image_size)
            image = slot[tar.BLOCK_BYTES : image_end]
            if sample.jpeg_offset is None:
                next(originals)(image)
            else:
                os.preadv(jpegs.fileno(), [image], sample.jpeg_offset)
            slot[image_end:tail_start] = tar.padding(sample.image_size)
            os.preadv(tails.fileno(), [slot[tail_start:]], sample.tail_offset)
            end = placed.sample_offset_bytes + sample.size
        _write_all(descriptor, buffer[: end - start], start)


def _write_all(descriptor: int, content: memoryview, offset: int) -> None:
    while content:
        written = os.pwrite(descriptor, content, offset)
        content, offset = content[written:], offset + written
