import random
from pathlib import Path

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.warehouse.build import build_warehouse
from pmc_assets.warehouse.connection import open_connection


def image(number: int, phash: int, grey_std: float = 40.0) -> dict:
    return {
        "pmcid": f"PMC{number}", "version": 1, "figure_index": 0, "graphic_index": 0, "graphic_ref": "g", "image_name": "g.jpg",
        "format": "jpeg", "width_px": 9, "height_px": 9, "mode": "L", "frame_count": 1, "size_bytes": 9,
        "image_sha256": f"{number:064x}", "image_phash": phash, "grey_std": grey_std, "part_path": "p", "offset_bytes": 0,
    }  # fmt: skip


def flipped(drawn: random.Random, phash: int, bits: int) -> int:
    for bit in drawn.sample(range(64), bits):
        phash ^= 1 << bit
    return phash


def test_pairs_up_to_four_bits_are_found_over_partitions_and_no_others(tmp_path: Path) -> None:
    drawn = random.Random(20261122)
    lake = Lake(str(tmp_path))
    first = [drawn.getrandbits(64) for _ in range(60)]
    second = [flipped(drawn, phash, place % 8) for place, phash in enumerate(first)]
    for group, start, hashes in (("commercial", 100, first), ("other", 500, second)):
        rows = schema.CORE_IMAGES.from_rows([image(start + n, phash) for n, phash in enumerate(hashes)])
        lake.write_table(schema.CORE_IMAGES, rows, Partition.of(license_group=group, batch="PMC00000xxxx"))
    flat = schema.CORE_IMAGES.from_rows([image(900, 0, 0.0), image(901, 0, 0.0)])
    lake.write_table(schema.CORE_IMAGES, flat, Partition.of(license_group="noncommercial", batch="PMC00000xxxx"))
    build_warehouse(lake)
    with open_connection(lake) as connection:
        found = connection.execute("select pmcid, other_pmcid, different_bits from core.near_duplicates").fetchall()
    expected = {(f"PMC{100 + n}", f"PMC{500 + n}", n % 8) for n in range(60) if n % 8 <= 4}
    assert {tuple(row) for row in found} == expected
    assert len(found) == len(expected)
