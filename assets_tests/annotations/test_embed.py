import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pmc_assets import schema
from pmc_assets.annotations import decoding
from pmc_assets.annotations.embed import embed_partition
from pmc_assets.annotations.vectors import embeddings_partition
from pmc_assets.lake import Lake, Partition

CELL = Partition.of(license_group="other", batch="PMC00000xxxx")


@dataclass
class ToyEncoder:
    """Mean colours of a two by two grid: an encoder that needs no weights."""

    name: str = "toy"
    version: str = "v1"
    dimensions: int = 12
    side_px: int = 8
    pad_grey: int = 127
    batch_images: int = 2
    encoded: int = 0

    def encode(self, images: np.ndarray) -> np.ndarray:
        self.encoded += len(images)
        corners = images.reshape(len(images), 2, 4, 2, 4, 3).mean(axis=(2, 4)).reshape(len(images), 12)
        return corners / np.linalg.norm(corners, axis=1, keepdims=True)


def jpeg(grey: int) -> bytes:
    content = io.BytesIO()
    Image.new("L", (40, 30), grey).save(content, "JPEG")
    return content.getvalue()


def write_images(lake: Lake, contents: list[bytes]) -> None:
    rows, offset = [], 0
    for number, content in enumerate(contents, start=1):
        rows.append(
            {
                "pmcid": f"PMC{number}",
                "version": 1,
                "figure_index": 0,
                "graphic_index": 0,
                "graphic_ref": "g",
                "image_name": f"g{number}.jpg",
                "format": "jpeg",
                "width_px": 40,
                "height_px": 30,
                "mode": "L",
                "frame_count": 1,
                "image_sha256": hashlib.sha256(content).hexdigest(),
                "image_phash": 0,
                "part_path": "part.tar",
                "offset_bytes": offset,
                "size_bytes": len(content),
            }
        )
        offset += len(content)
    lake.write_bytes("part.tar", b"".join(contents))
    lake.write_table(schema.CORE_IMAGES, schema.CORE_IMAGES.from_rows(rows), CELL)


def test_unreadable_image_is_a_reject_and_costs_itself(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    write_images(lake, [jpeg(20), jpeg(90)[:-40], jpeg(200)])
    result = embed_partition(lake, CELL, ToyEncoder())
    rejects = lake.read_table(schema.CORE_REJECTS, CELL, stem="embeddings").to_pylist()
    assert (result.listed, result.stored, dict(result.rejected)) == (3, 2, {"image_unreadable": 1})
    assert [(r["stage"], r["pmcid"], r["name"]) for r in rejects] == [("embeddings", "PMC2", "g2.jpg")]


def test_equal_bytes_are_encoded_once_and_known_vectors_kept(tmp_path: Path) -> None:
    lake, encoder = Lake(str(tmp_path)), ToyEncoder()
    write_images(lake, [jpeg(20), jpeg(20), jpeg(90)])
    assert embed_partition(lake, CELL, encoder).stored == 3
    assert encoder.encoded == 2
    write_images(lake, [jpeg(20), jpeg(130), jpeg(90)])
    embed_partition(lake, CELL, encoder)
    assert encoder.encoded == 3
    embed_partition(lake, CELL, ToyEncoder(version="v2"))
    versions = lake.read_table(schema.CORE_EMBEDDINGS, embeddings_partition(CELL, "toy"))["encoder_version"]
    assert {version[:2] for version in versions.to_pylist()} == {"v2"}


def test_images_that_are_gone_leave_no_rows(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    write_images(lake, [jpeg(20)])
    embed_partition(lake, CELL, ToyEncoder())
    lake.write_table(schema.CORE_IMAGES, schema.CORE_IMAGES.empty(), CELL)
    result = embed_partition(lake, CELL, ToyEncoder())
    assert (result.listed, result.rows) == (0, 0)
    assert not lake.find("core/embeddings")


def test_worker_processes_give_what_threads_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [jpeg(grey) for grey in range(0, 250, 25)] + [jpeg(7)[:60]]
    digests = []
    for name, least in (("threads", 2_000), ("processes", 1)):
        monkeypatch.setattr(decoding, "PROCESSES_FROM_IMAGES", least)
        lake = Lake(str(tmp_path / name))
        write_images(lake, contents)
        digests.append(embed_partition(lake, CELL, ToyEncoder(), workers=2).digest)
    assert digests[0] == digests[1]
