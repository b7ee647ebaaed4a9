"""A later day of the sample's bucket: what changed is what the inventory says."""

import json
import shutil
from pathlib import Path

import pytest

from pmc_assets.sample.bucket import INVENTORY_DAY, NotASample, write_sample
from pmc_assets.sample.changes import change_sample
from pmc_assets.sample.inventory import read_inventory
from pmc_assets.sample.sink import Sink

ARTICLES = 24


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("day_one")
    write_sample(str(folder / "bucket"), ARTICLES)
    return folder


@pytest.fixture
def bucket(sample: Path, tmp_path: Path) -> Path:
    shutil.copytree(sample, tmp_path, dirs_exist_ok=True)
    return tmp_path / "bucket"


def metadata_of(bucket: Path, prefix: str) -> dict:
    return json.loads((bucket / "metadata" / f"{prefix}.json").read_text())


def test_next_day_lists_exactly_the_changes(bucket: Path) -> None:
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


def test_newest_folder_has_no_manifest_yet(bucket: Path) -> None:
    change_sample(str(bucket))
    days = sorted(path.name for path in bucket.glob("inventory-reports/*/metadata/*T01-00Z"))
    with_manifest = [path.parent.name for path in bucket.glob("inventory-reports/*/metadata/*/manifest.json")]
    assert len(days) == 3 and sorted(with_manifest) == days[:2]


def test_second_change_takes_other_articles_and_a_new_day(bucket: Path) -> None:
    first, second = change_sample(str(bucket)), change_sample(str(bucket))
    assert second.inventory_day > first.inventory_day
    for kind in ("added", "media_changed", "relicensed", "retracted", "removed"):
        assert not set(getattr(first, kind)) & set(getattr(second, kind))


def test_days_differ_in_their_counts_and_a_refused_one_is_none(bucket: Path) -> None:
    with pytest.raises(ValueError, match="too few"):
        change_sample(str(bucket), changes=100)
    first, second = change_sample(str(bucket), new_articles=1), change_sample(str(bucket), changes=0)
    third = change_sample(str(bucket), new_articles=2)
    assert [(day.inventory_day - INVENTORY_DAY).days for day in (first, second, third)] == [1, 2, 3]
    for kind in ("added", "media_changed", "relicensed", "retracted", "removed"):
        days = [getattr(day, kind) for day in (first, second, third)]
        assert len(set().union(*days)) == sum(map(len, days))


def test_place_without_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotASample):
        change_sample(str(tmp_path / "bucket"))


def test_changed_sample_is_replaced_by_the_next_write(tmp_path: Path) -> None:
    url = str(tmp_path / "bucket")
    write_sample(url, 12)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    change_sample(url, new_articles=1)
    assert sorted(path.name for path in tmp_path.rglob("*")) != before
    assert write_sample(url, 12).is_new
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
