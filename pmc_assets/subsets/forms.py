"""The forms in which units are written: WebDataset tars, Parquet with images, image files. Manifests stay out."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from pmc_assets.blocks import allocate, write_all
from pmc_assets.lake import Lake
from pmc_assets.shards import tar
from pmc_assets.shards.parquet import row_groups, write_file
from pmc_assets.shards.render import IMAGE_EXTENSION
from pmc_assets.subsets.ranges import Buffer, Range, merged, read_ranges
from pmc_assets.subsets.units import Unit

IMAGES = "images"


def write_unit(
    connection: duckdb.DuckDBPyConnection, lake: Lake, unit: Unit, format: str, folder: Path
) -> dict[str, str]:
    """Write one unit's files below a local folder; give each file's sha256 by its path in the export."""
    if format == "parquet":
        return _write_parquet(connection, lake, unit, folder)
    if format == "csv":
        return _write_images(lake, unit, folder)
    return _write_tar(lake, unit, folder)


def _write_tar(lake: Lake, unit: Unit, folder: Path) -> dict[str, str]:
    """Copy whole samples (headers, members, padding) from the lake's shards into one tar."""
    name, ranges = f"{unit.stem}.tar", list(_ranges(unit.rows, "sample"))
    contents = itertools.chain(read_ranges(lake, merged(ranges)), [tar.END])
    return {name: write_hashed(contents, folder / name, sum(size for _, _, size in ranges) + len(tar.END))}


def write_hashed(contents: Iterable[Buffer], path: Path, size: int) -> str:
    """Write a file of a known size piece by piece; give its sha256. Pieces are hashed while the cache holds them."""
    digest, offset = hashlib.sha256(), 0
    with path.open("wb", buffering=0) as file:
        allocate(file.fileno(), size)
        for content in contents:
            write_all(file.fileno(), content, offset)
            digest.update(content)
            offset += len(content)
    return digest.hexdigest()


def _ranges(rows: pa.Table, what: str) -> Iterator[Range]:
    columns = ("shard_path", f"{what}_offset_bytes", f"{what}_size_bytes")
    return zip(*(rows[name].to_pylist() for name in columns), strict=True)


def _write_images(lake: Lake, unit: Unit, folder: Path) -> dict[str, str]:
    target = folder / IMAGES / unit.stem
    target.mkdir(parents=True)
    digests = {}
    for key, content in zip(
        unit.rows["sample_key"].to_pylist(), read_ranges(lake, _ranges(unit.rows, "image")), strict=True
    ):
        path = target / f"{key}.{IMAGE_EXTENSION}"
        path.write_bytes(content)
        digests[path.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
    return digests


def _write_parquet(connection: duckdb.DuckDBPyConnection, lake: Lake, unit: Unit, folder: Path) -> dict[str, str]:
    path = folder / f"{unit.stem}.parquet"
    group = unit.rows["license_group"][0].as_py()
    connection.register("unit_rows", unit.rows.select(["sample_key"]))
    samples = connection.sql(
        "select s.* exclude (license_group, batch) from out.samples as s semi join unit_rows using (sample_key)"
        " where s.license_group = $group and list_contains($batches, s.batch)"
        " order by s.pmcid[4:]::bigint, s.version, s.figure_index, s.graphic_index",
        params={"group": group, "batches": unit.rows["batch"].unique().to_pylist()},
    ).to_arrow_table()
    connection.unregister("unit_rows")
    write_file(row_groups(lake, iter(samples.to_batches()), group), path)
    return {path.name: file_sha256(path)}


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
