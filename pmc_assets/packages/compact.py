"""Rewrite the parts of one partition without the bytes that no row points at any more."""

from collections import Counter

from pmc_assets.lake import Lake, Partition
from pmc_assets.packages.parts import PART_BYTES, PartWriter, find_parts, next_number
from pmc_assets.packages.stored import delete_dead_parts, lock_name
from pmc_assets.results import StageResult
from pmc_assets.schema import RAW_PACKAGES
from pmc_assets.source.source import PackageFile


def compact_packages(lake: Lake, partition: Partition, part_bytes: int = PART_BYTES) -> StageResult:
    """Write the live files of one partition into new parts, in the order of the table; then delete the old parts.

    Everything that points into the parts (core.images) has to be made again: the data version changes.
    Empty: nothing is written for a partition without packages.
    """
    with lake.lock(lock_name(partition)), lake.scratch() as folder:
        table = lake.read_table(RAW_PACKAGES, partition)
        old = find_parts(lake, partition)
        bytes_before = sum(lake.size_bytes(path) for path in old)
        parts = PartWriter(lake, partition, next_number(old), folder, part_bytes)
        rows = []
        for row in table.to_pylist():
            content = lake.read_bytes(row["part_path"], row["offset_bytes"], row["size_bytes"])
            file = PackageFile(row["name"], row["role"], row["md5"], content)
            rows.append(parts.append(row["pmcid"], row["version"], file, row["listing_md5"]))
        parts.publish()
        written = lake.write_table(RAW_PACKAGES, RAW_PACKAGES.from_rows(rows), partition)
        delete_dead_parts(lake, partition)
        details = {"bytes_before": bytes_before, "bytes_after": sum(lake.size_bytes(path) for path in parts.published)}
    result = StageResult(table.num_rows, table.num_rows, Counter(), details=dict(details))
    return result.add_written(written)
