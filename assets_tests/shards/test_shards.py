"""out.shards: members, original bytes, offsets, limits, determinism, kills, licences."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from shards_lake import Article, Figure, SmallLake, drawn, many_articles, write_articles

from pmc_assets.lake import Lake, Partition
from pmc_assets.rejects import read_rejects
from pmc_assets.shards import render, tar
from pmc_assets.shards.check import count_wrong_offsets, foreign_licenses, shard_paths
from pmc_assets.shards.images import CannotTranscode, to_jpeg
from pmc_assets.shards.member import BIOMEDICA_KEYS, KEYS
from pmc_assets.shards.render import BYTES_AT_ONCE, slices
from pmc_assets.shards.samples import make_samples, samples_table
from pmc_assets.shards.write import write_shards


def members_of(lake: Lake, path: str) -> dict[str, bytes]:
    with tarfile.open(lake.full_path(path)) as shard:
        return {info.name: shard.extractfile(info).read() for info in shard}  # type: ignore[union-attr]


def files_of(lake: Lake, folder: str) -> dict[str, bytes]:
    return {path: lake.read_bytes(path) for path in lake.find(folder)}


def test_samples_with_long_texts_are_rendered_fewer_at_a_time() -> None:
    texts = [str(number).ljust(100_000) for number in range(1_000)]
    parts = list(slices(pa.RecordBatch.from_pydict({"caption": texts})))
    assert max(part.nbytes for part in parts) <= BYTES_AT_ONCE
    assert [text for part in parts for text in part["caption"].to_pylist()] == texts
    assert not list(slices(pa.RecordBatch.from_pydict({"caption": pa.array([], pa.string())})))


def test_header_equals_tarfile() -> None:
    info = tarfile.TarInfo("PMC1_1_f0000_g00.jpg")
    info.size = 123_456_789
    assert tar.header(info.name, info.size) == info.tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(ValueError, match="does not fit"):
        tar.header("x" * 101, 1)


def test_headers_of_many_files_are_those_of_each() -> None:
    names = ["PMC1_1_f0000_g00.jpg", "x" * 100, "é.txt"]
    for sizes in ([0, 1, 511], [512, 123_456_789, 8**11 - 1]):
        assert tar.headers(names, sizes) == [tar.header(*file) for file in zip(names, sizes, strict=True)]
    assert tar.headers([], []) == []
    for name, size in (("x" * 101, 1), ("x", 8**11)):
        with pytest.raises(ValueError, match="does not fit"):
            tar.headers([*names, name], [1, 2, 3, size])


@pytest.mark.parametrize("text", [False, True])
def test_shards_do_not_depend_on_rows_at_once_nor_on_memory(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch, text: bool
) -> None:
    def written() -> tuple[str, dict[str, bytes]]:
        result = write_shards(small_lake.lake, small_lake.partition, include_article_text=text)
        return result.digest, files_of(small_lake.lake, "out/shards")

    usual = written()
    for module, name, value in (
        ("render", "ROWS_AT_ONCE", (1,)),
        ("render", "ROWS_AT_ONCE", (3,)),
        ("tails", "MEMORY_BYTES", 0),
    ):
        monkeypatch.setattr(f"pmc_assets.shards.{module}.{name}", value)
        assert written() == usual


def test_rows_too_long_for_the_memory_are_rendered_fewer_at_a_time(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = write_shards(small_lake.lake, small_lake.partition).digest, files_of(small_lake.lake, "out/shards")
    tried, render_tails = [], render._render_tails

    def render_few(*arguments: object) -> None:
        tried.append(arguments[-1])
        render_tails(*arguments)
        if arguments[-1] > 1:
            raise duckdb.OutOfMemoryException("too long")

    monkeypatch.setattr(render, "_render_tails", render_few)
    again = write_shards(small_lake.lake, small_lake.partition).digest, files_of(small_lake.lake, "out/shards")
    assert (tried, again) == ([128, 16, 1], usual)


def test_partition_without_rows_has_no_shards(small_lake: SmallLake) -> None:
    path = small_lake.lake.full_path(small_lake.lake.table_path("out.samples", small_lake.partition))
    pq.write_table(pq.read_table(path, partitioning=None).slice(0, 0), path)
    assert write_shards(small_lake.lake, small_lake.partition).paths == []
    assert files_of(small_lake.lake, "out/shards") == {}


def test_every_sample_has_three_members_and_jpegs_keep_their_bytes(small_lake: SmallLake) -> None:
    result = write_shards(small_lake.lake, small_lake.partition)
    members = members_of(small_lake.lake, result.paths[0])
    samples = small_lake.lake.read_table(samples_table(), small_lake.partition).to_pylist()
    assert sorted(members) == sorted(f"{s['sample_key']}.{e}" for s in samples for e in ("jpg", "txt", "json"))
    for sample in samples:
        key = sample["sample_key"]
        stated = json.loads(members[f"{key}.json"])
        assert members[f"{key}.txt"].decode() == sample["caption"]
        assert stated["image_is_transcoded"] == (sample["image_format"] != "jpeg")
        if sample["image_format"] == "jpeg":
            assert hashlib.sha256(members[f"{key}.jpg"]).hexdigest() == sample["image_sha256"]
        with Image.open(io.BytesIO(members[f"{key}.jpg"])) as image:
            assert (image.format, list(image.size)) == ("JPEG", stated["image_size"])


def test_gnu_tar_lists_and_reads_the_shard(small_lake: SmallLake) -> None:
    result = write_shards(small_lake.lake, small_lake.partition)
    path = small_lake.lake.full_path(result.paths[0])
    listed = subprocess.run(["tar", "--list", "--file", path], capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 3 * 9
    assert listed.stderr == ""


def test_json_member_has_the_keys_of_biomedica_with_their_types(small_lake: SmallLake) -> None:
    assert len(BIOMEDICA_KEYS) == 25
    lists = {"image_primary_label", "image_secondary_label", "image_size", "image_set", "article_mesh_terms"}
    lists |= {"article_keywords", "article_reference_ids", "article_reference_list", "article_subject"}
    types = {name: str for name in BIOMEDICA_KEYS} | {name: list for name in lists}
    types |= {"image_context": dict, "article_reference_count": int}
    for partition in small_lake.partitions:
        for path in write_shards(small_lake.lake, partition).paths:
            for name, content in members_of(small_lake.lake, path).items():
                if name.endswith(".json"):
                    member = json.loads(content)
                    assert list(member) == list(KEYS)
                    assert {key: type(member[key]) for key in types} == types
                    assert "None" not in [value for value in member.values() if isinstance(value, str)]


def test_offsets_point_at_the_members_content(small_lake: SmallLake) -> None:
    result = write_shards(small_lake.lake, small_lake.partition)
    members = members_of(small_lake.lake, result.paths[0])
    rows = pq.read_table(small_lake.lake.full_path(result.paths[0].replace(".tar", ".parquet"))).to_pylist()
    assert [row["sample_key"] for row in rows] == list(dict.fromkeys(name.split(".")[0] for name in members))
    for row in rows:
        for member, extension in (("image", "jpg"), ("text", "txt"), ("json", "json")):
            content = small_lake.lake.read_bytes(
                result.paths[0], row[f"{member}_offset_bytes"], row[f"{member}_size_bytes"]
            )
            assert content == members[f"{row['sample_key']}.{extension}"]
    assert count_wrong_offsets(small_lake.lake, small_lake.partition) == 0


def test_limits_cut_shards_and_sizes_count_them(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    [partition] = write_articles(lake, many_articles(10))
    make_samples(lake, partition)
    result = write_shards(lake, partition, most_samples=7)
    folder = lake.partition_path("out.shards", partition)
    assert json.loads(lake.read_bytes(f"{folder}/sizes.json")) == {
        "00000.tar": 7, "00001.tar": 7, "00002.tar": 7, "00003.tar": 7, "00004.tar": 2
    }  # fmt: skip
    keys = [name.split(".")[0] for path in result.paths for name in members_of(lake, path) if name.endswith("jpg")]
    assert len(keys) == len(set(keys)) == 30
    assert keys != sorted(keys)
    write_shards(lake, partition, most_bytes=40_000)
    assert max(lake.size_bytes(path) for path in shard_paths(lake, partition)) <= 40_000


def test_first_samples_show_the_type_of_every_key(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    articles = many_articles(12, figures=1)
    for article in articles:
        article.keywords = ()
    articles[7].keywords, articles[3].pmid = ("only here",), 33
    [partition] = write_articles(lake, articles)
    make_samples(lake, partition)
    [path] = write_shards(lake, partition).paths
    members = [json.loads(c) for name, c in members_of(lake, path).items() if name.endswith("json")]
    assert any(member["article_keywords"] for member in members[:5])
    assert any(member["pmid"] for member in members[:5])


def test_rerun_gives_identical_bytes_and_a_seed_another_order(small_lake: SmallLake) -> None:
    first = write_shards(small_lake.lake, small_lake.partition)
    before = files_of(small_lake.lake, "out/shards")
    again = write_shards(small_lake.lake, small_lake.partition)
    assert files_of(small_lake.lake, "out/shards") == before and first.digest == again.digest
    other = write_shards(small_lake.lake, small_lake.partition, seed=1)
    assert other.digest != first.digest


def test_article_text_only_when_asked(small_lake: SmallLake) -> None:
    for asked, text in ((False, ""), (True, "Body of PMC10001.")):
        [path] = write_shards(small_lake.lake, small_lake.partition, include_article_text=asked).paths
        member = json.loads(members_of(small_lake.lake, path)["PMC10001_1_f0000_g00.json"])
        assert member["article_text"] == text


def test_no_samples_no_folder(small_lake: SmallLake) -> None:
    write_shards(small_lake.lake, small_lake.partition)
    small_lake.lake.delete(small_lake.lake.table_path("out.samples", small_lake.partition))
    result = write_shards(small_lake.lake, small_lake.partition)
    assert (result.listed, result.paths) == (0, [])
    assert small_lake.lake.find(small_lake.lake.partition_path("out.shards", small_lake.partition)) == []


def test_image_that_cannot_be_transcoded_is_a_reject(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    png = drawn("a.png")
    figures = [Figure("Broken.", [("a.png", png)]), Figure("Whole.", [("b.png", drawn("b.png"))], figure_id="F2")]
    [partition] = write_articles(lake, [Article("PMC10001", figures)])
    make_samples(lake, partition)
    row = lake.read_table(samples_table(), partition).to_pylist()[0]
    part = Path(lake.full_path(row["part_path"]))
    content = bytearray(part.read_bytes())
    content[row["offset_bytes"] + 40 : row["offset_bytes"] + 60] = bytes(20)
    part.write_bytes(content)
    result = write_shards(lake, partition)
    assert (result.listed, result.stored, dict(result.rejected)) == (2, 1, {"image_unreadable": 1})
    [reject] = read_rejects(lake, partition).to_pylist()
    assert (reject["stage"], reject["pmcid"], reject["name"]) == ("shards", "PMC10001", "a.png")


def test_licence_is_proven_from_the_tars(small_lake: SmallLake) -> None:
    for partition in small_lake.partitions:
        write_shards(small_lake.lake, partition)
        assert not foreign_licenses(small_lake.lake, partition)
    commercial, noncommercial = small_lake.partitions[0], small_lake.partitions[1]
    folders = [Path(small_lake.lake.full_path(small_lake.lake.partition_path("out.shards", p)))
               for p in (noncommercial, commercial)]  # fmt: skip
    for name in ("00000.tar", "00000.parquet"):
        (folders[1] / name).write_bytes((folders[0] / name).read_bytes())
    assert foreign_licenses(small_lake.lake, commercial)


def test_a_wrong_offset_is_seen(small_lake: SmallLake) -> None:
    [path] = write_shards(small_lake.lake, small_lake.partition).paths
    full = Path(small_lake.lake.full_path(path))
    full.write_bytes(b"\0" * 512 + full.read_bytes())
    assert count_wrong_offsets(small_lake.lake, small_lake.partition) == 9


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_leaves_whole_shards_or_none(tmp_path: Path, seed: int) -> None:
    lake = Lake(str(tmp_path / "lake"))
    [partition] = write_articles(lake, many_articles(60))
    make_samples(lake, partition)
    script = (
        "import sys; from pmc_assets.lake import Lake, Partition; from pmc_assets.shards.write import write_shards;"
        "p = Partition.of(license_group='commercial', batch=sys.argv[2]); sys.stdout.write('go\\n');"
        "sys.stdout.flush()\nwhile True: write_shards(Lake(sys.argv[1]), p, most_samples=50)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "lake"), partition["batch"]]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"go\n"
        time.sleep(0.15 + 0.37 * seed)
        os.kill(process.pid, signal.SIGKILL)
    found = files_of(lake, "out/shards")
    write_shards(lake, partition, most_samples=50)
    whole = files_of(lake, "out/shards")
    assert found in ({}, whole)
    assert lake.find(".tmp") == []


def sixteen_bit() -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)).save(content, "PNG")
    return content.getvalue()


def transcoded(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(to_jpeg(content)))


def test_sixteen_bits_keep_their_range() -> None:
    grey = np.asarray(transcoded(sixteen_bit()))
    assert grey.min() < 3 and grey.max() > 252


def test_small_values_in_wide_integers_are_not_black() -> None:
    content = io.BytesIO()
    Image.fromarray(np.full((16, 16), 200, np.int32)).save(content, "TIFF")
    assert transcoded(content.getvalue()).getpixel((8, 8)) == 200


def test_transparency_becomes_white_without_subsampling() -> None:
    content = io.BytesIO()
    Image.new("RGBA", (16, 16), (255, 0, 0, 0)).save(content, "PNG")
    image = transcoded(content.getvalue())
    assert image.getpixel((8, 8)) == (255, 255, 255)
    assert {component[1:3] for component in image.layer} == {(1, 1)}  # type: ignore[attr-defined]


def test_first_frame_of_an_animation_is_the_image() -> None:
    content = io.BytesIO()
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("blue", "red")]
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:])
    red, _, blue = transcoded(content.getvalue()).getpixel((8, 8))  # type: ignore[misc]
    assert blue > 250 > red


def test_no_image_cannot_be_transcoded() -> None:
    with pytest.raises(CannotTranscode):
        to_jpeg(b"%PDF-1.4")


def test_partition_of_another_batch_is_untouched(small_lake: SmallLake) -> None:
    write_shards(small_lake.lake, small_lake.partition)
    before = files_of(small_lake.lake, "out/shards")
    write_shards(small_lake.lake, Partition.of(license_group="commercial", batch="PMC00002xxxx"))
    assert files_of(small_lake.lake, "out/shards") == before
