"""The real bucket's samples: exactly its images with caption, with the source's own bytes."""

import hashlib
import json
import tarfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pmc_assets.lake import Lake

pytestmark = pytest.mark.mirror


def test_samples_are_the_images_with_caption(mirror_lake) -> None:
    [(images, samples, keys)] = mirror_lake.rows(
        "select (select count(*) from core.images join core.figures using (pmcid, version, figure_index)"
        " where length(trim(caption)) > 0), count(*), count(distinct sample_key) from out.samples"
    )
    assert samples == keys == images > 100


def test_shards_have_the_sources_bytes_of_every_jpeg(mirror: Path, mirror_lake) -> None:
    samples = mirror_lake.rows("select sample_key, pmcid, version, image_name, image_format from out.samples")
    source = {key: (mirror / f"{pmcid}.{version}" / name, form) for key, pmcid, version, name, form in samples}
    lake: Lake = mirror_lake.lake
    seen = set()
    for path in lake.find("out/shards", ".tar"):
        rows = pq.read_table(lake.full_path(path.replace(".tar", ".parquet")), partitioning=None).to_pylist()
        with tarfile.open(lake.full_path(path)) as shard:
            assert len(shard.getnames()) == 3 * len(rows)
        for row in rows:
            file, form = source[row["sample_key"]]
            image = lake.read_bytes(path, row["image_offset_bytes"], row["image_size_bytes"])
            member = json.loads(lake.read_bytes(path, row["json_offset_bytes"], row["json_size_bytes"]))
            assert member["image_is_transcoded"] == (form != "jpeg")
            assert (image == file.read_bytes()) == (form == "jpeg")
            assert f"license_group={member['license_group']}/" in path
            seen.add(row["sample_key"])
    assert seen == source.keys()


def test_parquet_has_the_sources_bytes_of_every_format(mirror: Path, mirror_lake) -> None:
    lake: Lake = mirror_lake.lake
    formats: dict[str, int] = {}
    for path in lake.find("out/parquet", ".parquet"):
        for row in pq.read_table(lake.full_path(path), partitioning=None).to_pylist():
            content = (mirror / f"{row['pmcid']}.{row['version']}" / row["image_name"]).read_bytes()
            assert row["image"]["bytes"] == content
            assert hashlib.sha256(content).hexdigest() == row["image_sha256"]
            formats[row["image_format"]] = formats.get(row["image_format"], 0) + 1
    assert sum(formats.values()) == mirror_lake.rows("select count(*) from out.samples")[0][0]
    assert len(formats) >= 3
