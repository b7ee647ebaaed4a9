"""Reading it back: every form, by the readers that people use, equals out.samples field by field."""

import hashlib
import io
import json
from pathlib import Path

import duckdb
import fsspec
import polars as pl
import pyarrow.parquet as pq
import pytest
from PIL import Image
from shards_lake import SmallLake, drawn, many_articles, write_articles

from pmc_assets.lake import Lake
from pmc_assets.shards.article_lines import article_lines
from pmc_assets.shards.features import parquet_schema, shard_features
from pmc_assets.shards.jsonl import write_jsonl
from pmc_assets.shards.parquet import write_parquet
from pmc_assets.shards.samples import make_samples, samples_table
from pmc_assets.shards.write import write_shards


@pytest.fixture(autouse=True)
def private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


def samples_of(full_lake: SmallLake) -> dict[str, dict]:
    return {
        row["sample_key"]: row
        for partition in full_lake.partitions
        for row in full_lake.lake.read_table(samples_table(), partition).to_pylist()
    }


def tars_of(lake: Lake) -> list[str]:
    return [lake.full_path(path) for path in lake.find("out/shards", ".tar")]


def assert_member_equals(member: dict, sample: dict) -> None:
    same = ("pmcid", "version", "pmid", "doi", "figure_label", "figure_index", "graphic_index", "kind", "year", "split")
    same += ("license_code", "license_url", "image_sha256", "mentions", "subcaptions", "source_url", "is_default")
    same += ("is_retracted", "is_duplicate_of", "caption_language")
    assert {key: member[key] for key in same} == {key: sample[key] for key in same}
    renamed = {
        "image_file_name": "image_name",
        "image_cluster_id": "figure_id",
        "image_hash": "image_sha256",
        "image_panel_type": "panel_type",
        "image_primary_label": "primary_label",
        "image_original_format": "image_format",
        "article_accession_id": "pmcid",
        "article_title": "title",
        "article_journal": "journal_title",
        "article_date": "published_date",
        "article_abstract": "abstract",
        "article_mesh_terms": "mesh_terms",
        "article_keywords": "keywords",
        "article_reference_list": "reference_ids",
        "article_subject": "subjects",
        "article_license": "license_code",
    }
    assert {key: member[key] or None for key in renamed} == {key: sample[name] or None for key, name in renamed.items()}
    assert member["image_size"] == [sample["width_px"], sample["height_px"]]
    assert int(member["image_phash"], 16) == sample["image_phash"]
    assert member["image_context"]["mentions"] == [mention["text"] for mention in sample["mentions"]]


def test_webdataset_gives_every_sample_and_field(full_lake: SmallLake) -> None:
    import webdataset as wds

    samples = samples_of(full_lake)
    dataset = wds.WebDataset(tars_of(full_lake.lake), shardshuffle=False, empty_check=False).decode("rgb8")
    read = {sample["__key__"]: sample for sample in dataset}
    assert read.keys() == samples.keys()
    for key, sample in samples.items():
        assert read[key]["txt"] == sample["caption"]
        assert read[key]["jpg"].shape == (sample["height_px"], sample["width_px"], 3)
        assert_member_equals(read[key]["json"], sample)


@pytest.mark.parametrize("streaming", [False, True])
def test_datasets_reads_shards_of_all_groups(full_lake: SmallLake, streaming: bool) -> None:
    import datasets

    features = datasets.Features.from_dict(shard_features())
    dataset = datasets.load_dataset(
        "webdataset", data_files=tars_of(full_lake.lake), split="train", features=features, streaming=streaming
    )
    samples = samples_of(full_lake)
    read = {row["__key__"]: row for row in dataset}
    assert read.keys() == samples.keys()
    for key, row in read.items():
        assert row["jpg"].size == (samples[key]["width_px"], samples[key]["height_px"])
        assert_member_equals(row["json"], samples[key])


def test_datasets_infers_the_types_of_a_shard(full_lake: SmallLake) -> None:
    import datasets

    [path] = [path for path in tars_of(full_lake.lake) if "license_group=commercial" in path]
    dataset = datasets.load_dataset("webdataset", data_files=[path], split="train")
    assert len(dataset) == 9
    assert dataset.features["json"]["mentions"].feature["text"] == datasets.Value("string")


@pytest.mark.parametrize("streaming", [False, True])
def test_datasets_reads_parquet_with_images(full_lake: SmallLake, streaming: bool) -> None:
    import datasets

    files = [full_lake.lake.full_path(path) for path in full_lake.lake.find("out/parquet", ".parquet")]
    dataset = datasets.load_dataset("parquet", data_files=files, split="train", streaming=streaming)
    samples = samples_of(full_lake)
    read = {row["sample_key"]: row for row in dataset}
    assert read.keys() == samples.keys()
    for key, row in read.items():
        image: Image.Image = row["image"]
        assert image.size == (samples[key]["width_px"], samples[key]["height_px"])


def test_parquet_has_original_bytes_of_every_format_and_every_field(full_lake: SmallLake) -> None:
    samples = samples_of(full_lake)
    formats = set()
    for path in full_lake.lake.find("out/parquet", ".parquet"):
        for row in pq.read_table(full_lake.lake.full_path(path), partitioning=None).to_pylist():
            sample = samples.pop(row["sample_key"])
            assert hashlib.sha256(row["image"]["bytes"]).hexdigest() == sample["image_sha256"]
            assert row["image"]["path"] == sample["image_name"]
            assert f"license_group={row['license_group']}/" in path
            fields = [f.name for f in parquet_schema() if f.name in sample]
            assert {name: row[name] for name in fields} == {name: sample[name] for name in fields}
            assert set(sample) - set(fields) == {"part_path", "offset_bytes"}
            formats.add(row["image_format"])
    assert samples == {}
    assert formats == {"jpeg", "png", "tiff", "gif", "webp"}


def test_schema_says_what_datasets_would_write() -> None:
    import datasets

    schema = parquet_schema()
    features = datasets.Features.from_arrow_schema(schema)
    assert isinstance(features["image"], datasets.Image)
    assert features.arrow_schema.field("image").type == schema.field("image").type
    assert json.loads(features.arrow_schema.metadata[b"huggingface"]) == json.loads(schema.metadata[b"huggingface"])


def test_row_groups_are_small_and_images_uncompressed(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    [partition] = write_articles(lake, many_articles(200, figures=2))
    make_samples(lake, partition)
    result = write_parquet(lake, partition)
    facts = pq.read_metadata(lake.full_path(result.paths[0]))
    assert [facts.row_group(i).num_rows for i in range(facts.num_row_groups)] == [256, 144]
    columns = {
        facts.row_group(0).column(i).path_in_schema: facts.row_group(0).column(i) for i in range(facts.num_columns)
    }
    assert columns["image.bytes"].compression == "UNCOMPRESSED"
    assert columns["caption"].compression == "ZSTD"


def test_large_images_close_row_groups_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(str(tmp_path))
    [partition] = write_articles(lake, many_articles(150, figures=2))
    make_samples(lake, partition)
    monkeypatch.setattr("pmc_assets.shards.parquet.BYTES_PER_GROUP", 1)
    result = write_parquet(lake, partition, file_bytes=1)
    sizes = [pq.read_metadata(lake.full_path(path)).num_rows for path in result.paths]
    assert sizes == [100, 100, 100]


def test_rerun_of_parquet_and_lines_gives_identical_bytes(full_lake: SmallLake) -> None:
    lake, partition = full_lake.lake, full_lake.partition
    before = {path: lake.read_bytes(path) for form in ("parquet", "jsonl") for path in lake.find(f"out/{form}")}
    digests = write_parquet(lake, partition).digest, write_jsonl(lake, partition).digest
    assert {path: lake.read_bytes(path) for path in before} == before
    assert digests == (write_parquet(lake, partition).digest, write_jsonl(lake, partition).digest)


def test_lines_have_the_form_of_pmc_15m(full_lake: SmallLake) -> None:
    lake, samples = full_lake.lake, samples_of(full_lake)
    pair_ids, images = [], set()
    for path in lake.find("out/jsonl", ".jsonl"):
        for line in lake.read_bytes(path).decode().splitlines():
            article = json.loads(line)
            assert list(article) == ["pmid", "pmc", "location", "figures"]
            assert article["location"].endswith(f"{article['pmc']}.1.xml")
            for figure in article["figures"]:
                assert list(figure) == ["fig_caption", "fig_id", "fig_label", "graphic_ref", "pair_id"]
                pair_ids.append(figure["pair_id"])
                member, _, shard = figure["graphic_ref"].partition("::")
                with fsspec.open(f"{member}::{lake.full_path('out/' + shard)}") as file:
                    content = file.read()
                key = member.removeprefix("tar://").removesuffix(".jpg")
                assert figure["fig_caption"] == samples[key]["caption"]
                with Image.open(io.BytesIO(content)) as image:
                    assert image.size == (samples[key]["width_px"], samples[key]["height_px"])
                images.add(key)
    assert images == samples.keys()
    assert len(pair_ids) == len(set(pair_ids))
    assert {"2002_F2", "2002_F3", "PMC10002_0_0", "PMC10002_0_1", "PMC10010_0", "PMC10001_0"} <= set(pair_ids)


def test_versions_of_an_article_have_pair_ids_of_their_own() -> None:
    names = "(pmcid, version, sample_key, pmid, figure_index, graphic_index, figure_id, figure_label, caption, shard)"
    rows = ", ".join(
        f"('PMC1', {version}, 'k{version}{place}', null, 0, {place}, null, null, '', 's')"
        for version, place in ((1, 0), (1, 1), (2, 0))
    )
    filelists = "(select 'PMC1' as pmcid, 1 as version, '' as xml_url, '' as package_url)"
    with duckdb.connect() as connection:
        lines = [line for line, _ in article_lines(connection, f"(values {rows}) as s{names}", filelists)]
    pair_ids = [figure["pair_id"] for line in lines for figure in json.loads(line)["figures"]]
    assert pair_ids == ["PMC1.1_0_0", "PMC1.1_0_1", "PMC1.2_0"]


def test_long_captions_of_many_samples_need_little_memory(tmp_path: Path) -> None:
    rows = """from (select i // 4 as article, i % 4 as figure, 'PMC' || article + 1 as pmcid, 1 as version, 'k' || i as sample_key,
        article as pmid, figure as figure_index, 0 as graphic_index, 'F' || figure as figure_id, null as figure_label,
        repeat('of the caption ', 60) as caption, 's' as shard from range(30_000) as all_samples(i))"""
    with duckdb.connect() as connection:
        connection.execute(f"copy ({rows}) to '{tmp_path}/samples.parquet' (row_group_size 2_048)")
    with duckdb.connect(config={"memory_limit": "72MB", "threads": 1, "temp_directory": str(tmp_path)}) as connection:
        filelists = "(select 'PMC1' as pmcid, 1 as version, '' as xml_url, '' as package_url)"
        lines = list(article_lines(connection, f"(from '{tmp_path}/samples.parquet')", filelists))
    assert [count for _, count in lines] == [4] * 7_500
    assert [json.loads(line)["pmc"] for line, _ in lines] == [f"PMC{number}" for number in range(1, 7_501)]


def test_compressed_lines_replace_plain_ones(full_lake: SmallLake) -> None:
    lake, partition = full_lake.lake, full_lake.partition
    plain = lake.read_bytes(lake.find(lake.partition_path("out.jsonl", partition))[0])
    [path] = write_jsonl(lake, partition, compression="gzip").paths
    assert lake.find(lake.partition_path("out.jsonl", partition)) == [path]
    with fsspec.open(lake.full_path(path), compression="gzip") as file:
        assert file.read() == plain


def test_polars_and_duckdb_filter_samples(full_lake: SmallLake) -> None:
    glob = full_lake.lake.full_path("out/samples/**/*.parquet")
    frame = pl.scan_parquet(glob, hive_partitioning=True)
    kept = frame.filter(pl.col("is_default") & (pl.col("license_group") == "commercial")).collect()
    query = f"select count(*) from read_parquet('{glob}', hive_partitioning = true) where is_default"
    assert kept.height == 6
    assert duckdb.sql(query + " and license_group = 'commercial'").fetchall() == [(6,)]


def test_sizes_are_what_open_clip_sums(full_lake: SmallLake) -> None:
    import webdataset as wds

    sizes = json.loads(
        full_lake.lake.read_bytes(full_lake.lake.find("out/shards/license_group=commercial", ".json")[0])
    )
    shard = [path for path in tars_of(full_lake.lake) if "license_group=commercial" in path]
    assert sizes == {"00000.tar": len(list(wds.WebDataset(shard, shardshuffle=False, empty_check=False)))}


def test_equal_images_have_one_content(full_lake: SmallLake) -> None:
    samples = samples_of(full_lake)
    assert samples["PMC10010_1_f0000_g00"]["image_sha256"] == hashlib.sha256(drawn("fig1.jpg")).hexdigest()
    assert write_shards(full_lake.lake, full_lake.partition).stored == 9
