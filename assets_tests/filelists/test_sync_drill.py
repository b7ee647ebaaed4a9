"""The sync drill: a second day's inventory makes exactly the partitions concerned stale, and fetches what changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from faulty_server import FaultyServer, serve
from small_bucket import SmallBucket
from stages import assert_bytes_are_right, stored_rows

from pmc_assets.assets import article_versions, empty_cells, filelists, inventory, packages, sync
from pmc_assets.assets.partitions import batches, cell_key, cells
from pmc_assets.lake import Lake
from pmc_assets.resources.lake import LakeResource
from pmc_assets.resources.source import SourceResource

ASSETS = [
    inventory.inventory_batches,
    inventory.inventory,
    article_versions.article_versions,
    filelists.filelists,
    packages.packages,
]
OF_JOB = {"sync_article_versions": "article_versions", "sync_filelists": "filelists", "one_partition": "packages"}
LISTS = {"oa_file_list.csv", "oa_file_list.txt"}


@dataclass
class House:
    """An instance, a lake and a source, and what the sensor asked for so far."""

    instance: dg.DagsterInstance
    resources: dict
    definitions: dg.Definitions
    runs: list[tuple[str, str]] = field(default_factory=list)

    def materialize(self, asset: str, partition_key: str | None = None, tags: dict | None = None) -> bool:
        key = dg.AssetKey(["raw", asset])
        return dg.materialize(
            ASSETS,
            selection=[key],
            partition_key=partition_key,
            instance=self.instance,
            resources=self.resources,
            raise_on_error=False,
            tags=tags,
        ).success

    def take_inventory(self) -> bool:
        return self.materialize("inventory")

    def tick_until_quiet(self) -> list[tuple[str, str]]:
        """Evaluate the sensor and run what it asks for, until it asks for nothing; give (asset, partition)."""
        asked: list[tuple[str, str]] = []
        for _ in range(10):
            context = dg.build_sensor_context(instance=self.instance)
            requests = [one for one in sync.new_inventory(context) if isinstance(one, dg.RunRequest)]  # type: ignore[union-attr]
            if not requests:
                return asked
            for request in requests:
                asset = OF_JOB[request.job_name or ""]
                assert self.materialize(asset, request.partition_key, {"dagster/run_key": request.run_key or ""})
                asked.append((asset, request.partition_key or ""))
        raise AssertionError("the sensor does not come to rest")

    def stale(self) -> set[tuple[str, str]]:
        graph = self.definitions.resolve_asset_graph()
        resolver = CachingStaleStatusResolver(self.instance, graph, LoadingContextForTest(self.instance))
        names = self.instance.get_dynamic_partitions(batches.name)
        keys = {
            "article_versions": names,
            "filelists": cells.get_partition_keys(dynamic_partitions_store=self.instance),
            "packages": cells.get_partition_keys(dynamic_partitions_store=self.instance),
        }
        return {
            (asset, str(key))
            for asset, of_asset in keys.items()
            for key in of_asset
            if resolver.get_status(dg.AssetKey(["raw", asset]), str(key)) != StaleStatus.FRESH
        }


@pytest.fixture(params=[1], ids=["one batch"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> SmallBucket:
    """One batch or more; in each, articles of two licence groups."""
    bucket = SmallBucket(tmp_path / "bucket")
    for block in range(1, 1 + request.param):
        for number in range(12):
            code = "CC BY" if number % 2 else "CC BY-NC"
            bucket.add(f"PMC{block}{number:04d}", license_code=code, media={"g1.jpg": bytes([block, number]) * 99})
    bucket.publish("2026-11-20")
    return bucket


@pytest.fixture
def server(bucket: SmallBucket) -> Iterator[FaultyServer]:
    with serve(bucket.root) as server:
        yield server


@pytest.fixture
def house(server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house of raw/ alone: downstream of the file lists are the packages."""
    monkeypatch.setattr(empty_cells, "_downstream_of_cells", lambda: {packages.KEY: {filelists.KEY}})
    resources = {
        "lake": LakeResource(url=str(tmp_path / "lake")),
        "source": SourceResource(url=server.url, max_shrink=0.5),
    }
    with dg.DagsterInstance.ephemeral() as instance:
        yield House(instance, resources, dg.Definitions(assets=ASSETS, resources=resources))


def cell(block: int, group: str) -> str:
    return str(cell_key(f"PMC0000{block}xxxx", group))


@pytest.mark.parametrize("bucket", [5], indirect=True, ids=["five batches"])
def test_two_days(bucket: SmallBucket, server: FaultyServer, house: House, tmp_path: Path) -> None:
    assert house.take_inventory()
    house.tick_until_quiet()
    assert house.stale() == set()
    assert house.tick_until_quiet() == []

    bucket.add("PMC10020", media={"g1.jpg": b"new"})
    bucket.replace_file("PMC20001", "g1.jpg", b"corrected")
    bucket.change("PMC30001", license_code="CC BY-NC")
    bucket.change("PMC40001", is_retracted=True)
    bucket.change("PMC40002", text_url="s3://pmc-oa-opendata/PMC40002.1/PMC40002.1.txt?md5=" + "0" * 32)
    bucket.remove("PMC40003")
    bucket.publish("2026-11-21")
    bucket.publish("2026-11-22", has_manifest=False)
    server.forget()
    assert house.take_inventory()
    assert house.stale() == {("article_versions", f"PMC0000{block}xxxx") for block in range(1, 5)}
    asked = house.tick_until_quiet()

    assert [one for one in asked if one[0] == "article_versions"] == [
        ("article_versions", f"PMC0000{block}xxxx") for block in range(1, 5)
    ]
    assert {one for one in asked if one[0] == "packages"} == {
        ("packages", cell(1, "commercial")),
        ("packages", cell(2, "commercial")),
        ("packages", cell(3, "commercial")),
        ("packages", cell(3, "noncommercial")),
        ("packages", cell(4, "commercial")),
    }
    assert house.stale() == set()
    assert {key: n for key, n in server.content_requests().items() if key not in LISTS} == {
        "PMC10020.1/PMC10020.1.xml": 1,
        "PMC10020.1/g1.jpg": 1,
        "PMC20001.1/g1.jpg": 1,
    }
    metadata = {key for key in server.requests if key.startswith("metadata/")}
    assert metadata == {
        f"metadata/{pmcid}.1.json" for pmcid in ("PMC10020", "PMC20001", "PMC30001", "PMC40001", "PMC40002", "PMC40003")
    }
    lake = Lake(str(tmp_path / "lake"))
    for block, group in ((1, "commercial"), (2, "commercial"), (3, "noncommercial"), (4, "commercial")):
        assert_bytes_are_right(lake, stored_rows(lake, f"PMC0000{block}xxxx", group))
    assert "PMC30001" in {row["pmcid"] for row in stored_rows(lake, "PMC00003xxxx", "noncommercial")}
    assert "PMC40003" not in {row["pmcid"] for row in stored_rows(lake, "PMC00004xxxx", "commercial")}


def test_the_same_inventory_again_concerns_nobody(house: House, server: FaultyServer) -> None:
    house.take_inventory()
    house.tick_until_quiet()
    server.forget()
    house.take_inventory()
    assert house.stale() == set()
    assert house.tick_until_quiet() == []
    assert server.content_requests().keys() <= LISTS


def test_a_refused_inventory_fails_and_concerns_nobody(house: House, bucket: SmallBucket) -> None:
    house.take_inventory()
    house.tick_until_quiet()
    house.resources["source"] = SourceResource(url=house.resources["source"].url)
    for number in range(6):
        bucket.remove(f"PMC1{number:04d}")
    bucket.publish("2026-11-21")
    assert not house.take_inventory()
    assert house.stale() == set()
    assert house.tick_until_quiet() == []


def test_what_is_undone_is_done_again_though_its_content_was_seen_before(house: House, bucket: SmallBucket) -> None:
    house.take_inventory()
    house.tick_until_quiet()
    for day, flag in (("2026-11-21", True), ("2026-11-22", False)):
        bucket.change("PMC10001", is_retracted=flag)
        bucket.publish(day)
        house.take_inventory()
        assert ("packages", cell(1, "commercial")) in house.tick_until_quiet()
    assert house.stale() == set()


def test_the_schedule_looks_at_the_inventory_once_a_day() -> None:
    assert sync.sync_daily.cron_schedule == "0 6 * * *"
    assert sync.sync_daily.job_name == "sync_inventory"
