"""raw/article_versions and raw/filelists: what changed is fetched, what vanished is confirmed, who may be used."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from faulty_server import FaultyServer, serve
from small_bucket import SmallBucket
from stages import NOW, assert_bytes_are_right, files_of, opened, rejects_of, stored_rows, sync

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition

BATCH = "PMC00001xxxx"


@pytest.fixture
def bucket(tmp_path: Path) -> SmallBucket:
    bucket = SmallBucket(tmp_path / "bucket")
    for number in range(10_000, 10_100):
        bucket.add(f"PMC{number}", media={})
    bucket.publish("2026-11-19")
    return bucket


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def versions(lake: Lake) -> dict[tuple[str, int], dict]:
    rows = lake.read_table(schema.RAW_ARTICLE_VERSIONS, Partition.of(batch=BATCH)).to_pylist()
    return {(row["pmcid"], row["version"]): row for row in rows}


def filelist(lake: Lake, group: str) -> dict[tuple[str, int], dict]:
    rows = lake.read_table(schema.RAW_FILELISTS, Partition.of(license_group=group, batch=BATCH)).to_pylist()
    return {(row["pmcid"], row["version"]): row for row in rows}


def metadata_gets(server: FaultyServer) -> dict[str, int]:
    return {key: count for key, count in server.requests.items() if key.startswith("metadata/")}


def sync_day(bucket: SmallBucket, lake: Lake, days: int = 0) -> None:
    with opened(bucket.root) as source:
        sync(source, lake, NOW + timedelta(days=days))


def test_only_changed_metadata_is_fetched_and_unchanged_rows_keep_their_time(bucket: SmallBucket, lake: Lake) -> None:
    sync_day(bucket, lake)
    bucket.change("PMC10001", is_retracted=True)
    bucket.add("PMC10200", media={})
    bucket.publish("2026-11-20")
    with serve(bucket.root) as server, opened(server.url) as source:
        sync(source, lake, NOW + timedelta(days=1))
        assert metadata_gets(server) == {"metadata/PMC10001.1.json": 1, "metadata/PMC10200.1.json": 1}
    rows = versions(lake)
    assert rows["PMC10001", 1]["is_retracted"]
    assert rows["PMC10001", 1]["fetched_at"] == NOW + timedelta(days=1)
    assert rows["PMC10002", 1]["fetched_at"] == NOW


def test_a_vanished_key_is_confirmed_before_it_counts_as_removed(bucket: SmallBucket, lake: Lake) -> None:
    sync_day(bucket, lake)
    gone = bucket.root / "metadata" / "PMC10002.1.json"
    kept = gone.read_bytes()
    gone.unlink()
    bucket.publish("2026-11-20")
    gone.write_bytes(kept)
    bucket.remove("PMC10003")
    bucket.publish("2026-11-21")
    with serve(bucket.root) as server, opened(server.url) as source:
        (bucket.root / "metadata" / "PMC10002.1.json").write_bytes(kept)
        sync(source, lake, NOW + timedelta(days=2))
        assert metadata_gets(server) == {"metadata/PMC10003.1.json": 1}
    rows = versions(lake)
    assert rows["PMC10003", 1]["removed_at"] == NOW + timedelta(days=2)
    assert rows["PMC10002", 1]["removed_at"] is None
    assert ("removed", "PMC10003", None) in rejects_of(lake, "filelists", license_group="commercial", batch=BATCH)


def test_a_key_that_only_the_inventory_lost_stays(bucket: SmallBucket, lake: Lake) -> None:
    sync_day(bucket, lake)
    path = bucket.root / "metadata" / "PMC10002.1.json"
    kept = path.read_bytes()
    path.unlink()
    bucket.publish("2026-11-20")
    path.write_bytes(kept)
    sync_day(bucket, lake, days=1)
    assert versions(lake)["PMC10002", 1]["removed_at"] is None
    assert ("PMC10002", 1) in filelist(lake, "commercial")


def test_a_removed_version_stays_removed_and_comes_back_when_listed_again(bucket: SmallBucket, lake: Lake) -> None:
    sync_day(bucket, lake)
    bucket.remove("PMC10003")
    bucket.publish("2026-11-20")
    sync_day(bucket, lake, days=1)
    sync_day(bucket, lake, days=2)
    assert versions(lake)["PMC10003", 1]["removed_at"] == NOW + timedelta(days=1)
    bucket.add("PMC10003", media={}, title="again")
    bucket.publish("2026-11-25")
    sync_day(bucket, lake, days=5)
    assert versions(lake)["PMC10003", 1]["removed_at"] is None


def test_metadata_that_is_missing_or_unreadable_is_a_reject(bucket: SmallBucket, lake: Lake) -> None:
    bucket.change("PMC10004", is_retracted="perhaps")
    bucket.change("PMC10005", pmcid="PMC1")
    bucket.publish("2026-11-20")
    (bucket.root / "metadata" / "PMC10006.1.json").unlink()
    sync_day(bucket, lake)
    assert rejects_of(lake, "article_versions", batch=BATCH) == [
        ("metadata_unreadable", "PMC10004", None),
        ("metadata_unreadable", "PMC10005", None),
        ("metadata_missing", "PMC10006", None),
    ]
    assert len(versions(lake)) == 97


@pytest.mark.parametrize(
    "fields",
    [
        {"pmid": 10**30},
        {"pmid": "12"},
        {"citation": "half of a character: \ud800"},
        {"media_urls": ["s3://pmc-oa-opendata/PMC10004.1/\ud800.jpg"]},
        {"package_updated_at": "yesterday"},
        {"license_code": ["CC BY"]},
    ],
)
def test_a_field_of_another_kind_costs_its_version_alone(tmp_path: Path, lake: Lake, fields: dict) -> None:
    bucket = SmallBucket(tmp_path / "few")
    bucket.add("PMC10003", media={})
    bucket.add("PMC10004", media={}, **fields)
    bucket.publish("2026-11-20")
    sync_day(bucket, lake)
    assert rejects_of(lake, "article_versions", batch=BATCH) == [("metadata_unreadable", "PMC10004", None)]
    assert versions(lake).keys() == {("PMC10003", 1)}


def test_absent_keys_further_keys_and_an_md5_that_is_none_are_read(tmp_path: Path, lake: Lake) -> None:
    bucket = SmallBucket(tmp_path / "few")
    bucket.add("PMC10003", more={"a": 1}, media_urls=["s3://pmc-oa-opendata/PMC10003.1/g001.jpg?md5=none"])
    path = bucket.root / "metadata" / "PMC10003.1.json"
    fields = json.loads(path.read_bytes())
    path.write_text(json.dumps({name: fields[name] for name in fields if name not in {"doi", "mid", "pmid"}}))
    bucket.publish("2026-11-20")
    sync_day(bucket, lake)
    row = filelist(lake, "commercial")["PMC10003", 1]
    assert (row["doi"], row["pmid"], row["media_md5s"]) == (None, None, [None])
    assert_bytes_are_right(lake, stored_rows(lake, BATCH, "commercial"))


def test_a_pmid_of_0_is_none(tmp_path: Path, lake: Lake) -> None:
    bucket = SmallBucket(tmp_path / "few")
    bucket.add("PMC10003", media={}, pmid=0)
    bucket.publish("2026-11-20")
    sync_day(bucket, lake)
    assert filelist(lake, "commercial")["PMC10003", 1]["pmid"] is None


def test_a_version_that_is_back_as_it_was_is_asked_for_again(bucket: SmallBucket, lake: Lake) -> None:
    sync_day(bucket, lake)
    hidden = bucket.root / "metadata" / "PMC10002.1.json"
    kept = hidden.read_bytes()
    hidden.unlink()
    bucket.publish("2026-11-20")
    sync_day(bucket, lake, days=1)
    assert versions(lake)["PMC10002", 1]["removed_at"] is not None
    hidden.write_bytes(kept)
    bucket.publish("2026-11-21")
    sync_day(bucket, lake, days=2)
    assert versions(lake)["PMC10002", 1]["removed_at"] is None


def test_metadata_newer_than_the_inventory_is_taken(bucket: SmallBucket, lake: Lake) -> None:
    bucket.change("PMC10007", title="newer than the inventory")
    with serve(bucket.root) as server, opened(server.url) as source:
        sync(source, lake)
        assert server.requests["metadata/PMC10007.1.json"] == 1
    assert versions(lake)["PMC10007", 1]["title"] == "newer than the inventory"


def test_an_article_that_changes_its_licence_moves_in_one_sync(bucket: SmallBucket, lake: Lake) -> None:
    sync_day(bucket, lake)
    bucket.change("PMC10008", license_code="CC BY-NC")
    bucket.publish("2026-11-20")
    sync_day(bucket, lake, days=1)
    assert ("PMC10008", 1) not in filelist(lake, "commercial")
    assert ("PMC10008", 1) in filelist(lake, "noncommercial")


def test_published_is_preferred_to_manuscript_then_the_highest_number_across_groups(
    bucket: SmallBucket, lake: Lake
) -> None:
    bucket.add("PMC10200", version=2, media={})
    bucket.add("PMC10200", version=3, media={}, is_manuscript=True, license_code="TDM")
    bucket.add("PMC10200", version=4, media={}, is_pmc_openaccess=False)
    bucket.add("PMC10200", version=1, media={}, license_code="CC BY-NC")
    bucket.add("PMC10201", version=2, media={}, is_manuscript=True)
    bucket.publish("2026-11-20")
    sync_day(bucket, lake)
    preferred = {
        key
        for group in ("commercial", "noncommercial", "other")
        for key, row in filelist(lake, group).items()
        if row["is_preferred"] and int(key[0][3:]) >= 10_200
    }
    assert preferred == {("PMC10200", 2), ("PMC10201", 2)}
    assert ("PMC10200", 4) not in filelist(lake, "commercial")


@pytest.mark.parametrize("code", [None, "TDM", "CC BY 9.9 special"])
def test_no_code_and_unknown_codes_are_of_the_group_other(bucket: SmallBucket, lake: Lake, code: str | None) -> None:
    bucket.add("PMC10200", media={}, license_code=code)
    bucket.publish("2026-11-20")
    sync_day(bucket, lake)
    assert filelist(lake, "other")["PMC10200", 1]["license_code"] == code


def test_an_unchanged_rerun_gives_the_same_bytes_and_fetches_the_inventory_alone(
    bucket: SmallBucket, lake: Lake, tmp_path: Path
) -> None:
    sync_day(bucket, lake)
    before = files_of(tmp_path / "lake")
    with serve(bucket.root) as server, opened(server.url) as source:
        sync(source, lake, NOW + timedelta(days=1))
        assert server.content_requests().keys() <= {"oa_file_list.csv", "oa_file_list.txt"}
        assert metadata_gets(server) == {}
    assert files_of(tmp_path / "lake") == before


def test_metadata_newer_than_the_inventory_is_taken_from_a_folder_too(bucket: SmallBucket, lake: Lake) -> None:
    bucket.change("PMC10007", title="newer than the inventory")
    sync_day(bucket, lake)
    assert versions(lake)["PMC10007", 1]["title"] == "newer than the inventory"
