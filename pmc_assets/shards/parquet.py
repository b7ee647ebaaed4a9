"""Write out.parquet: the samples with their images' original bytes, as `datasets` reads them."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pmc_assets.lake import Lake, Partition
from pmc_assets.results import StageResult
from pmc_assets.shards.features import LICENSE_GROUP, parquet_schema
from pmc_assets.shards.images import ImageReader, Place
from pmc_assets.shards.plan import stem
from pmc_assets.shards.samples import samples_table

TABLE_NAME = "out.parquet"
LEAST_ROWS_PER_GROUP = 100
MOST_ROWS_PER_GROUP = 256
BYTES_PER_GROUP = 8 * 2**20
MOST_BYTES_PER_GROUP = 48 * 2**20
FILE_BYTES = 2**30
IMAGE_BYTES_COLUMN = "image.bytes"


def write_parquet(lake: Lake, partition: Partition, *, file_bytes: int = FILE_BYTES) -> StageResult:
    """Write one partition of out.samples with image bytes, in the order of out.samples.

    Shape: files `00000.parquet` ... of about `file_bytes`; row groups of 100 to 256 rows, closed early at 8 MiB of
    images, so that one image is read without many others (fewer rows only where images are huge, and at the end).
    No samples, no folder.
    """
    target = lake.partition_path(TABLE_NAME, partition)
    with lake.scratch() as scratch:
        folder = scratch / "parquet"
        folder.mkdir()
        rows = 0
        for number, groups in enumerate(_files(lake, partition, file_bytes)):
            rows += write_file(groups, folder / f"{stem(number)}.parquet")
        sizes = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
        lake.publish_folder(folder, target)
    return StageResult(
        listed=rows,
        stored=rows,
        rows=rows,
        size_bytes=sum(sizes.values()),
        digest=_digest(lake, partition, sizes),
        paths=[f"{target}/{name}" for name in sizes],
    )


def _files(lake: Lake, partition: Partition, file_bytes: int) -> Iterator[Iterator[pa.Table]]:
    groups = _row_groups(lake, partition)
    for first in groups:
        yield _until_full(first, groups, file_bytes)


def _until_full(group: pa.Table, groups: Iterator[pa.Table], file_bytes: int) -> Iterator[pa.Table]:
    size = group.nbytes
    yield group
    while size < file_bytes and (more := next(groups, None)) is not None:
        size += more.nbytes
        yield more


def _row_groups(lake: Lake, partition: Partition) -> Iterator[pa.Table]:
    path = lake.table_path(samples_table().name, partition)
    if not lake.exists(path):
        return
    with lake.open(path) as file:
        batches = pq.ParquetFile(file).iter_batches(MOST_ROWS_PER_GROUP, use_threads=False)
        yield from row_groups(lake, batches, partition["license_group"])


def row_groups(lake: Lake, batches: Iterable[pa.RecordBatch], license_group: str) -> Iterator[pa.Table]:
    """Read the images of samples of one licence group, given in order, and give both as row groups."""
    pieces, sizes = list[pa.Table](), list[int]()
    with ImageReader(lake) as reader:
        for batch in batches:
            samples, start = pa.Table.from_batches([batch]), 0
            for end, size in enumerate(samples["size_bytes"].to_pylist(), start=1):
                sizes.append(size)
                if _is_full(sizes):
                    yield _with_images([*pieces, samples.slice(start, end - start)], reader, license_group)
                    start, pieces, sizes = end, [], []
            pieces.append(samples.slice(start))
        if sizes:
            yield _with_images(pieces, reader, license_group)


def _places(samples: pa.Table) -> Iterator[Place]:
    return zip(*(samples[name].to_pylist() for name in ("part_path", "offset_bytes", "size_bytes")), strict=True)


def _is_full(sizes: list[int]) -> bool:
    size = sum(sizes)
    is_large = size >= BYTES_PER_GROUP and len(sizes) >= LEAST_ROWS_PER_GROUP
    return is_large or len(sizes) == MOST_ROWS_PER_GROUP or size >= MOST_BYTES_PER_GROUP


def _with_images(pieces: list[pa.Table], reader: ImageReader, license_group: str) -> pa.Table:
    schema, samples = _schema(), pa.concat_tables(pieces)
    images = reader.read_array(list(_places(samples)))
    pixels = pa.StructArray.from_arrays([images, samples["image_name"].combine_chunks()], ["bytes", "path"])
    groups = pa.array([license_group] * samples.num_rows, LICENSE_GROUP.type)
    columns = {name: samples[name] for name in samples.column_names} | {"image": pixels, "license_group": groups}
    return pa.table([columns[f.name].cast(f.type) for f in schema], schema=schema)


def write_file(groups: Iterable[pa.Table], path: Path) -> int:
    """Write row groups as one file that `datasets` reads; give the number of rows."""
    leaves, rows = _leaves(), 0
    with pq.ParquetWriter(
        path,
        _schema(),
        compression={leaf: "none" if leaf == IMAGE_BYTES_COLUMN else "zstd" for leaf in leaves},
        use_dictionary=[leaf for leaf in leaves if leaf != IMAGE_BYTES_COLUMN],
        write_statistics=[leaf for leaf in leaves if leaf != IMAGE_BYTES_COLUMN],
        use_content_defined_chunking=True,
        write_page_index=True,
    ) as writer:
        for group in groups:
            writer.write_table(group, row_group_size=group.num_rows)
            rows += group.num_rows
    return rows


@cache
def _schema() -> pa.Schema:
    return parquet_schema()


@cache
def _leaves() -> list[str]:
    sink = pa.BufferOutputStream()
    pq.write_table(_schema().empty_table(), sink)
    columns = pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema
    return [columns.column(index).path for index in range(len(columns))]


def _digest(lake: Lake, partition: Partition, sizes: dict[str, int]) -> str:
    """Digest what decides every byte: the samples, which state the sha256 of their images, and the files' sizes."""
    path = lake.table_path(samples_table().name, partition)
    digest = hashlib.sha256(json.dumps(sizes).encode())
    if lake.exists(path):
        digest.update(lake.read_bytes(path))
    return digest.hexdigest()
