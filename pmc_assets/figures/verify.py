"""Check that image rows point at bytes that are there and are theirs."""

import hashlib

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition


def count_wrong_images(lake: Lake, partition: Partition) -> int:
    """Count the image rows of a partition whose bytes are missing or have another sha256."""
    columns = ["part_path", "offset_bytes", "size_bytes", "image_sha256"]
    return sum(not _is_whole(lake, row) for row in lake.read_table(schema.CORE_IMAGES, partition, columns).to_pylist())


def _is_whole(lake: Lake, row: dict) -> bool:
    try:
        content = lake.read_bytes(row["part_path"], row["offset_bytes"], row["size_bytes"])
    except FileNotFoundError:
        return False
    return hashlib.sha256(content).hexdigest() == row["image_sha256"]
