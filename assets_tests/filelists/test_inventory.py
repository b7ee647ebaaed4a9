"""raw/inventory: verified, whole or refused, sorted for batches."""

import contextlib
import gzip
import json
from hashlib import md5
from pathlib import Path

import pytest
from small_bucket import INVENTORY, SmallBucket
from stages import NOW, opened, rejects_of

from pmc_assets import schema
from pmc_assets.filelists.article_versions import update_article_versions
from pmc_assets.filelists.inventory import (
    InventoryShrunk,
    inventory_batches,
    last_snapshot,
    read_batch,
    snapshot_partition,
    stored_batches,
    take_inventory,
)
from pmc_assets.filelists.inventory_changes import batch_digests
from pmc_assets.lake import Lake
from pmc_assets.results import StageResult
from pmc_assets.source.snapshots import InventoryUnreadable


@pytest.fixture
def bucket(tmp_path: Path) -> SmallBucket:
    bucket = SmallBucket(tmp_path / "bucket")
    for number in (9, 10_002, 10_001, 123_456_789):
        bucket.add(f"PMC{number}")
    bucket.add("PMC10001", version=2)
    bucket.publish("2026-11-19")
    return bucket


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def take(bucket: SmallBucket, lake: Lake, **options: float) -> StageResult:
    with opened(bucket.root) as source:
        return take_inventory(source, lake, 10_000, **options)


def rows_of(lake: Lake) -> list[dict]:
    date = last_snapshot(lake)
    return lake.read_table(schema.RAW_INVENTORY, snapshot_partition(date or "")).to_pylist()


def test_rows_are_sorted_by_number_and_carry_their_batch(bucket: SmallBucket, lake: Lake) -> None:
    result = take(bucket, lake)
    assert [(row["pmcid"], row["version"], row["batch"]) for row in rows_of(lake)] == [
        ("PMC9", 1, "PMC00000xxxx"),
        ("PMC10001", 1, "PMC00001xxxx"),
        ("PMC10001", 2, "PMC00001xxxx"),
        ("PMC10002", 1, "PMC00001xxxx"),
        ("PMC123456789", 1, "PMC12345xxxx"),
    ]
    assert inventory_batches(lake) == {"PMC00000xxxx", "PMC00001xxxx", "PMC12345xxxx"}
    assert (result.listed, result.stored, result.details["new"]) == (5, 5, 5)


def test_columns_are_read_by_the_file_schema(bucket: SmallBucket, lake: Lake) -> None:
    take(bucket, lake)
    expected = rows_of(lake)
    bucket.publish("2026-11-20", columns=("ETag", "Size", "Key", "LastModifiedDate", "Bucket"))
    take(bucket, lake)
    assert last_snapshot(lake) == "2026-11-20"
    assert [row["etag"] for row in rows_of(lake)] == [row["etag"] for row in expected]


def test_a_day_without_manifest_is_passed_over(bucket: SmallBucket, lake: Lake) -> None:
    bucket.publish("2026-11-20", has_manifest=False)
    take(bucket, lake)
    assert last_snapshot(lake) == "2026-11-19"


def test_a_manifest_that_is_cut_off_is_passed_over(bucket: SmallBucket, lake: Lake) -> None:
    bucket.publish("2026-11-20")
    manifest = bucket.root / INVENTORY / "2026-11-20T01-00Z" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:100])
    take(bucket, lake)
    assert last_snapshot(lake) == "2026-11-19"


def test_without_any_manifest_the_message_says_what_to_check(tmp_path: Path, lake: Lake) -> None:
    with pytest.raises(InventoryUnreadable, match="PMC_SOURCE"):
        take(SmallBucket(tmp_path / "nothing"), lake)


@pytest.mark.parametrize("damage", ["other bytes", "missing", "not gzip"])
def test_a_damaged_shard_fails_and_changes_nothing(bucket: SmallBucket, lake: Lake, damage: str) -> None:
    take(bucket, lake)
    before = rows_of(lake)
    bucket.add("PMC10003")
    bucket.publish("2026-11-20")
    shard = bucket.root / INVENTORY / "data" / "2026-11-20-1.csv.gz"
    if damage == "missing":
        shard.unlink()
    else:
        shard.write_bytes(b"x" * shard.stat().st_size)
    if damage == "not gzip":
        correct_md5(bucket, shard)
    with opened(bucket.root, attempts=2, first_wait_s=0.001) as source, pytest.raises(InventoryUnreadable):
        take_inventory(source, lake, 10_000)
    assert last_snapshot(lake) == "2026-11-19"
    assert rows_of(lake) == before


def correct_md5(bucket: SmallBucket, shard: Path) -> None:
    path = bucket.root / INVENTORY / "2026-11-20T01-00Z" / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["files"][1]["MD5checksum"] = md5(shard.read_bytes()).hexdigest()
    path.write_text(json.dumps(manifest))


def test_a_shrunken_inventory_is_refused_unless_allowed(bucket: SmallBucket, lake: Lake) -> None:
    take(bucket, lake)
    bucket.remove("PMC9")
    bucket.publish("2026-11-20")
    with pytest.raises(InventoryShrunk, match="max_shrink"):
        take(bucket, lake)
    assert last_snapshot(lake) == "2026-11-19"
    assert take(bucket, lake, max_shrink=0.5).details["vanished"] == 1


def test_an_older_inventory_never_replaces_a_newer_one(bucket: SmallBucket, lake: Lake) -> None:
    bucket.publish("2026-11-20")
    newer = take(bucket, lake)
    (bucket.root / INVENTORY / "2026-11-20T01-00Z" / "manifest.json").unlink()
    result = take(bucket, lake)
    assert last_snapshot(lake) == "2026-11-20"
    assert result.digest == newer.digest


def test_new_changed_and_vanished_are_counted_and_only_their_batches_differ(bucket: SmallBucket, lake: Lake) -> None:
    for number in range(20_001, 20_060):
        bucket.add(f"PMC{number}", media={})
    bucket.publish("2026-11-19")
    take(bucket, lake)
    before = batch_digests(lake, "2026-11-19")
    bucket.add("PMC10003")
    bucket.change("PMC20001", is_retracted=True)
    bucket.remove("PMC20002")
    bucket.publish("2026-11-20")
    details = take(bucket, lake).details
    assert (details["new"], details["changed"], details["vanished"]) == (1, 1, 1)
    after = batch_digests(lake, "2026-11-20")
    assert {batch for batch in after if after[batch] != before[batch]} == {"PMC00001xxxx", "PMC00002xxxx"}


def test_rows_that_are_no_metadata_and_rows_listed_twice_are_rejects(bucket: SmallBucket, lake: Lake) -> None:
    extra = [("metadata/PMC9.1.json", "newer"), ("metadata/readme.txt", "x"), ("PMC10.1/PMC10.1.json", "x")]
    bucket.publish("2026-11-20", extra_rows=extra)
    result = take(bucket, lake)
    assert result.is_accounted_for
    assert (result.listed, result.stored) == (8, 5)
    assert {name for _, _, name in rejects_of(lake, "inventory")} == {
        "PMC9.1",
        "metadata/readme.txt",
        "PMC10.1/PMC10.1.json",
    }


def rewrite_shard(bucket: SmallBucket, rows: bytes, md5_digits: str = "") -> None:
    """Give the inventory of 2026-11-20 one shard of these rows."""
    bucket.publish("2026-11-20")
    key = f"{INVENTORY}/data/rewritten.csv.gz"
    (bucket.root / key).write_bytes(gzip.compress(rows))
    path = bucket.root / INVENTORY / "2026-11-20T01-00Z" / "manifest.json"
    stated = md5_digits or md5((bucket.root / key).read_bytes()).hexdigest().upper()
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"files": [{"key": key, "MD5checksum": stated}]}))


def test_a_row_that_cannot_be_read_costs_only_itself(bucket: SmallBucket, lake: Lake) -> None:
    good = b'"b","metadata%2FPMC9.1.json","2026-02-31T11:47:59.000Z","e"\n'
    rewrite_shard(bucket, b"\xef\xbb\xbf\n" + good + b'"b","metadata/PMC10.1.json"\n\n"b","","",""\n')
    result = take(bucket, lake)
    assert (result.listed, result.stored, result.rejected.total()) == (3, 1, 2)
    assert [(row["pmcid"], row["last_modified_at"]) for row in rows_of(lake)] == [("PMC9", None)]
    assert ("bad_inventory_row", None, '"b","metadata/PMC10.1.json"') in rejects_of(lake, "inventory")


def test_an_inventory_without_an_article_is_refused(bucket: SmallBucket, lake: Lake) -> None:
    rewrite_shard(bucket, b'"b","metadata/readme.txt","2026-02-28T11:47:59.000Z","e"\n')
    with pytest.raises(InventoryShrunk, match="no article"):
        take(bucket, lake)


@pytest.mark.parametrize("stated", ["A" * 32, "no md5"])
def test_a_shard_is_never_taken_unverified(bucket: SmallBucket, lake: Lake, stated: str) -> None:
    rewrite_shard(bucket, b'"b","metadata/PMC9.1.json","2026-02-28T11:47:59.000Z","e"\n', stated)
    with opened(bucket.root, first_wait_s=0.001) as source, contextlib.suppress(InventoryUnreadable):
        take_inventory(source, lake, 10_000)
    assert last_snapshot(lake) in {None, "2026-11-19"}


def test_a_batch_that_vanished_whole_is_to_be_looked_at(bucket: SmallBucket, lake: Lake) -> None:
    take(bucket, lake)
    with opened(bucket.root) as source:
        update_article_versions(source, lake, "PMC00000xxxx", NOW)
        bucket.remove("PMC9")
        bucket.publish("2026-11-20")
        take_inventory(source, lake, 10_000, max_shrink=0.5)
        assert "PMC00000xxxx" in inventory_batches(lake)
        digests = batch_digests(lake, "2026-11-20", stored_batches(lake))
        assert digests["PMC00000xxxx"] != batch_digests(lake, "2026-11-19")["PMC00000xxxx"]
        assert update_article_versions(source, lake, "PMC00000xxxx", NOW).details["removed"] == 1


def test_the_same_inventory_again_gives_the_same_bytes(bucket: SmallBucket, lake: Lake) -> None:
    first = take(bucket, lake)
    assert take(bucket, lake).digest == first.digest


def test_one_batch_is_read_alone(bucket: SmallBucket, lake: Lake) -> None:
    take(bucket, lake)
    assert read_batch(lake, "PMC00001xxxx")["pmcid"].to_pylist() == ["PMC10001", "PMC10001", "PMC10002"]
    assert read_batch(lake, "PMC00009xxxx").num_rows == 0
