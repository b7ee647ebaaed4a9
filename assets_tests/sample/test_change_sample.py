"""A later day of the sample's bucket: what changed is what the inventory says."""

import json
from pathlib import Path

import pytest

from pmc_assets.sample.bucket import INVENTORY_DAY, NotASample, write_sample
from pmc_assets.sample.changes import change_sample
from pmc_assets.sample.inventory import read_inventory
from pmc_assets.sample.sink import Sink


def metadata_of(bucket: Path, prefix: str) -> dict:
    return json.loads((bucket / "metadata" / f"{prefix}.json").read_text())


def test_next_day_lists_exactly_the_changes(tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    write_sample(str(bucket), 24)
    before = read_inventory(Sink(str(bucket)), INVENTORY_DAY)
    licences = {path.stem: path.read_bytes() for path in (bucket / "metadata").glob("*.json")}
    change = change_sample(str(bucket))
    after = read_inventory(Sink(str(bucket)), change.inventory_day)

    keys = {kind: {f"metadata/{p}.json" for p in getattr(change, kind)} for kind in ("added", "removed")}
    assert set(after) - set(before) == keys["added"] and len(keys["added"]) == 3
    assert set(before) - set(after) == keys["removed"] and len(keys["removed"]) == 1
    changed = {key for key in set(before) & set(after) if before[key][1] != after[key][1]}
    assert changed == {f"metadata/{p}.json" for p in change.media_changed + change.relicensed + change.retracted}

    assert metadata_of(bucket, change.retracted[0])["is_retracted"]
    assert metadata_of(bucket, change.relicensed[0])["license_code"] == "CC BY-NC"
    old, new = json.loads(licences[change.media_changed[0]]), metadata_of(bucket, change.media_changed[0])
    assert old["media_urls"][0] != new["media_urls"][0] and old["media_urls"][1:] == new["media_urls"][1:]
    assert old["xml_url"] == new["xml_url"]
    assert not list(bucket.glob(f"{change.removed[0]}*"))


def test_newest_folder_has_no_manifest_yet(tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    write_sample(str(bucket), 24)
    change_sample(str(bucket))
    days = sorted(path.name for path in bucket.glob("inventory-reports/*/metadata/*T01-00Z"))
    with_manifest = [path.parent.name for path in bucket.glob("inventory-reports/*/metadata/*/manifest.json")]
    assert len(days) == 3 and sorted(with_manifest) == days[:2]


def test_second_change_takes_other_articles_and_a_new_day(tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    write_sample(str(bucket), 40)
    first, second = change_sample(str(bucket)), change_sample(str(bucket))
    assert second.inventory_day > first.inventory_day
    for kind in ("added", "media_changed", "relicensed", "retracted", "removed"):
        assert not set(getattr(first, kind)) & set(getattr(second, kind))
    assert write_sample(str(bucket), 40).is_new


def test_place_without_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotASample):
        change_sample(str(tmp_path / "bucket"))
