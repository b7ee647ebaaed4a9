from typing import Any

import pytest

from pmc_assets import schema
from pmc_assets.annotations.consistency import count_contradictions
from pmc_assets.lake import Partition

KEY = ("pmcid", "version", "figure_index", "graphic_index")


@pytest.mark.mirror
def test_every_readable_real_image_is_embedded_and_annotated(mirror_lake: Any) -> None:
    lake = mirror_lake.lake
    paths = lake.find("core/images", "/images.parquet")
    cells = [Partition.of(**dict(part.split("=") for part in path.split("/")[2:-1])) for path in paths]
    listed = 0
    for cell in cells:
        target = Partition.of(encoder="efficientnet-lite0", **dict(cell.values))
        images = lake.read_table(schema.CORE_IMAGES, cell, list(KEY)).to_pylist()
        assert lake.read_table(schema.CORE_EMBEDDINGS, target, list(KEY)).to_pylist() == images
        annotations = lake.read_table(schema.CORE_ANNOTATIONS, cell)
        assert annotations.select(list(KEY)).to_pylist() == images
        assert count_contradictions(annotations) == 0
        listed += len(images)
    assert listed > 100
