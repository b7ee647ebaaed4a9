"""out.samples: one row per image with a caption; everything else is a named reject."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from shards_lake import ARTICLES, BATCH, Article, Figure, SmallLake, drawn, many_articles, write_articles

from pmc_assets.lake import Lake, Partition
from pmc_assets.rejects import read_rejects
from pmc_assets.schema import CORE_ANNOTATIONS, CORE_PUBMED_RECORDS
from pmc_assets.shards import samples
from pmc_assets.shards.samples import make_samples, samples_table


def rows_of(lake: Lake, partition: Partition) -> dict[str, dict]:
    return {row["sample_key"]: row for row in lake.read_table(samples_table(), partition).to_pylist()}


def test_images_without_caption_are_rejects(small_lake: SmallLake) -> None:
    result = make_samples(small_lake.lake, small_lake.partition)
    assert (result.listed, result.stored, dict(result.rejected)) == (10, 9, {"caption_empty": 1})
    rejects = read_rejects(small_lake.lake, small_lake.partition).to_pylist()
    assert [(r["stage"], r["pmcid"], r["name"]) for r in rejects] == [("samples", "PMC10002", "bare.jpg")]


def test_sample_has_article_figure_and_image(small_lake: SmallLake) -> None:
    row = rows_of(small_lake.lake, small_lake.partition)["PMC10002_1_f0000_g00"]
    assert row["caption"] == "A cell (A) and a nucleus (B)."
    assert [m["text"] for m in row["mentions"]] == ["As Figure 1 shows, cells are round.", "See Fig. 1."]
    assert row["subcaptions"] == [{"panel_id": "A", "text": "A cell"}, {"panel_id": "B", "text": "a nucleus"}]
    assert (row["title"], row["pmid"], row["license_code"]) == ("On PMC10002", 2002, "CC BY-SA")
    assert row["reference_ids"] == ["pubmed:11", "pubmed:12", "doi:10.1/x"]
    assert row["source_url"] == "s3://bucket/PMC10002.1/cell.png"
    assert small_lake.lake.read_bytes(row["part_path"], row["offset_bytes"], row["size_bytes"]) == drawn(
        "cell.png", "RGBA"
    )


def test_default_filter_is_made_of_columns(small_lake: SmallLake) -> None:
    rows = rows_of(small_lake.lake, small_lake.partition)
    left_out = {key: row for key, row in rows.items() if not row["is_default"]}
    assert {key: (r["is_too_small"], r["is_retracted"], r["is_duplicate_of"]) for key, r in left_out.items()} == {
        "PMC10010_1_f0000_g00": (False, False, "PMC10001.1/0/0"),
        "PMC10010_1_f0001_g00": (True, False, None),
        "PMC10011_1_f0000_g00": (False, True, None),
    }


def test_without_annotations_and_records_labels_are_empty(small_lake: SmallLake) -> None:
    for row in rows_of(small_lake.lake, small_lake.partition).values():
        assert (row["primary_label"], row["mesh_terms"], row["cluster_id"]) == ([], [], None)


def test_pubmed_retraction_and_labels_arrive(small_lake: SmallLake) -> None:
    lake, partition = small_lake.lake, small_lake.partition
    record = {
        "pmid": 2002,
        "is_retracted": True,
        "mesh_terms": ["Cells"],
        "fetched_at": datetime(2026, 9, 1, tzinfo=UTC),
    }
    lake.write_table(CORE_PUBMED_RECORDS, CORE_PUBMED_RECORDS.from_rows([record]), partition)
    image = {"pmcid": "PMC10002", "version": 1, "figure_index": 0, "graphic_index": 0}
    label = image | {"model_id": "m", "cluster_id": 7, "primary_label": ["Microscopy"], "panel_type": "multiple"}
    lake.write_table(CORE_ANNOTATIONS, CORE_ANNOTATIONS.from_rows([label]), partition)
    make_samples(lake, partition)
    rows = rows_of(lake, partition)
    row = rows["PMC10002_1_f0000_g00"]
    assert (row["is_retracted"], row["is_default"], row["mesh_terms"]) == (True, False, ["Cells"])
    assert (row["cluster_id"], row["primary_label"]) == (7, ["Microscopy"])
    assert rows["PMC10002_1_f0000_g01"]["cluster_id"] is None


def test_an_article_is_in_one_split(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    [partition] = write_articles(lake, many_articles(200, figures=2))
    make_samples(lake, partition)
    splits: dict[str, set[str]] = {}
    for row in rows_of(lake, partition).values():
        splits.setdefault(row["pmcid"], set()).add(row["split"])
    assert all(len(names) == 1 for names in splits.values())
    counts = [sum(names == {split} for names in splits.values()) for split in ("train", "validation", "test")]
    assert counts[0] > 160 and min(counts[1:]) > 0


def test_pieces_give_the_same_file_as_one(small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(small_lake.lake.full_path(small_lake.lake.table_path("out.samples", small_lake.partition)))
    rows = rows_of(small_lake.lake, small_lake.partition)
    before = path.read_bytes()
    make_samples(small_lake.lake, small_lake.partition)
    assert path.read_bytes() == before
    monkeypatch.setattr(samples, "ARTICLES_AT_ONCE", 1)
    make_samples(small_lake.lake, small_lake.partition)
    assert rows_of(small_lake.lake, small_lake.partition) == rows


def test_a_removed_partition_leaves_no_file(small_lake: SmallLake, tmp_path: Path) -> None:
    lake, partition = small_lake.lake, Partition.of(license_group="commercial", batch="PMC00099xxxx")
    result = make_samples(lake, partition)
    assert (result.listed, result.rows, result.paths) == (0, 0, [])
    assert not lake.exists(lake.table_path("out.samples", partition))


def test_caption_of_spaces_is_no_caption(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    [partition] = write_articles(lake, [Article("PMC10001", [Figure("  ", [("a.jpg", drawn("a.jpg"))])])])
    result = make_samples(lake, partition)
    assert (result.stored, dict(result.rejected)) == (0, {"caption_empty": 1})


def test_keys_have_no_dot_and_no_slash(small_lake: SmallLake) -> None:
    keys = [key for p in small_lake.partitions for key in rows_of(small_lake.lake, p)]
    assert len(keys) == len(set(keys)) == sum(len(f.images) for a in ARTICLES for f in a.figures if f.caption)
    assert not any("." in key or "/" in key for key in keys)
    assert small_lake.partition["batch"] == BATCH
