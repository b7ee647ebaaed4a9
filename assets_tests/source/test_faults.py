"""The fault drill: a source that fails in every way costs time, never a file."""

import contextlib
import time
from pathlib import Path

import pytest
from faulty_server import FAULTS, serve
from multidict import CIMultiDict
from small_bucket import SmallBucket
from stages import assert_bytes_are_right, files_of, opened, rejects_of, stored_rows, sync

from pmc_assets.filelists.inventory import take_inventory
from pmc_assets.http_faults import TransientFault, retry_after_s
from pmc_assets.lake import Lake
from pmc_assets.source import fetcher
from pmc_assets.source.answers import Body, DiskFault, SourceUnavailable, Unanswered
from pmc_assets.source.open import open_transport
from pmc_assets.source.snapshots import InventoryUnreadable
from pmc_assets.source.transport import Admit

BATCH = "PMC00001xxxx"
MIRROR_BATCH = "PMC09900xxxx"


@pytest.fixture
def bucket(tmp_path: Path) -> SmallBucket:
    bucket = SmallBucket(tmp_path / "bucket")
    for number in range(10_001, 10_007):
        bucket.add(f"PMC{number}", media={f"g{n}.jpg": f"{number} {n}".encode() * 50 for n in range(3)})
    bucket.publish("2026-11-20")
    return bucket


def test_with_a_fifth_of_all_requests_failing_every_file_arrives_once(mirror: Path, tmp_path: Path) -> None:
    calm, stormy = Lake(str(tmp_path / "calm")), Lake(str(tmp_path / "stormy"))
    with opened(mirror.as_uri()) as source:
        sync(source, calm, batches=[MIRROR_BATCH])
    with (
        serve(mirror, fault_share=0.2, seed=7) as server,
        opened(server.url, timeout_s=1.0, first_wait_s=0.01) as source,
    ):
        sync(source, stormy, batches=[MIRROR_BATCH])
        assert server.faults.total() > 40
        assert server.kinds.keys() == set(FAULTS)
        assert max(server.good.values()) == 1
        assert all(server.requests[key] <= 1 + server.faults[key] for key in server.requests)
        assert source.counts.retries <= server.faults.total()
        assert server.most_connections <= 64
    rows = stored_rows(stormy, MIRROR_BATCH, "commercial")
    assert_bytes_are_right(stormy, rows)
    assert files_of(tmp_path / "calm") == files_of(tmp_path / "stormy")


def test_a_source_that_is_down_fails_within_its_budget_and_says_what_to_do(tmp_path: Path) -> None:
    started = time.monotonic()
    with (
        pytest.raises(SourceUnavailable) as raised,
        opened("http://127.0.0.1:9/bucket", budget_s=0.5, first_wait_s=0.05) as source,
    ):
        take_inventory(source, Lake(str(tmp_path / "lake")), 10_000)
    assert time.monotonic() - started < 5
    assert "\n" not in str(raised.value)
    assert "PMC_SOURCE" in str(raised.value) and "127.0.0.1:9" in str(raised.value)


def test_a_source_that_goes_down_in_the_middle_publishes_nothing(bucket: SmallBucket, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    with serve(bucket.root) as server, opened(server.url, budget_s=0.5, timeout_s=0.2, first_wait_s=0.02) as source:
        take_inventory(source, lake, 10_000)
        server.behaviour.fault_share, server.behaviour.faults = 1.0, ("503",)
        with pytest.raises(SourceUnavailable):
            sync(source, lake)
        assert not lake.find("raw/article_versions")


class EverySecond:
    """A transport that fails and answers in turn."""

    url = "memory://source"

    def __init__(self) -> None:
        self.asked = 0

    async def get(self, key: str, admit: Admit, into: Path | None = None) -> Body:
        self.asked += 1
        if self.asked % 2:
            raise TransientFault("HTTP 503")
        return Body(b"")

    async def close(self) -> None:
        """Nothing is open."""


def test_a_source_that_answers_now_and_then_does_not_keep_a_partition_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "SILENCE_S", 0.001)
    transport = EverySecond()
    fetching = fetcher.Fetcher(transport, connections=1, budget_s=0.2, first_wait_s=0.02)  # type: ignore[arg-type]
    with contextlib.closing(fetching), pytest.raises(SourceUnavailable):
        for number in range(100):
            fetching.call(fetching.get(f"{number}"))
    assert 5 < transport.asked < 100


def test_a_pause_of_who_asks_is_no_silence_of_the_source() -> None:
    fetching = fetcher.Fetcher(EverySecond(), connections=1, budget_s=0.2, first_wait_s=0.001)  # type: ignore[arg-type]
    with contextlib.closing(fetching):
        for _ in fetching.in_order(fetching.get, map(str, range(4))):
            time.sleep(0.3)


def test_a_pause_after_an_object_that_failed_is_no_silence_either() -> None:
    class OneIsBad(EverySecond):
        async def get(self, key: str, admit: Admit, into: Path | None = None) -> Body:
            if key == "bad":
                raise TransientFault("HTTP 503", retry_after_s=400)
            return await super().get(key, admit, into)

        async def exists(self, key: str) -> bool:
            return True

    fetching = fetcher.Fetcher(OneIsBad(), connections=1, budget_s=0.2, first_wait_s=0.001)  # type: ignore[arg-type]
    with contextlib.closing(fetching):
        with pytest.raises(Unanswered):
            fetching.call(fetching.get("bad", witness="good"))
        time.sleep(0.3)
        fetching.call(fetching.get("good"))


def test_an_object_that_failed_says_how_often_it_was_asked_for() -> None:
    class Busy(EverySecond):
        async def get(self, key: str, admit: Admit, into: Path | None = None) -> Body:
            raise TransientFault("HTTP 503", retry_after_s=400)

        async def exists(self, key: str) -> bool:
            return True

    fetching = fetcher.Fetcher(Busy(), connections=1, budget_s=300)  # type: ignore[arg-type]
    with contextlib.closing(fetching), pytest.raises(Unanswered, match="after 1 attempt"):
        fetching.call(fetching.get("a", witness="b"))


def test_a_fault_of_our_own_disk_is_not_the_sources(bucket: SmallBucket, tmp_path: Path) -> None:
    with serve(bucket.root) as server:
        for url in (str(bucket.root), server.url):
            fetching = fetcher.Fetcher(open_transport(url, 1, 1.0), connections=1, budget_s=1, first_wait_s=0.001)
            with contextlib.closing(fetching):
                for into in (Path("/dev/full"), tmp_path / "absent" / "a"):
                    with pytest.raises(DiskFault, match=str(into)):
                        fetching.call(fetching.get("PMC10001.1/g0.jpg", into=into))


def test_no_md5_is_checked_of_what_goes_to_a_file(bucket: SmallBucket, tmp_path: Path) -> None:
    fetching = fetcher.Fetcher(open_transport(str(bucket.root), 1, 1.0), connections=1, budget_s=1)
    with contextlib.closing(fetching):
        fetching.call(fetching.get("PMC10001.1/g0.jpg", "0" * 32, into=tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == (bucket.root / "PMC10001.1/g0.jpg").read_bytes()


def test_one_object_that_always_fails_is_a_reject_and_comes_with_the_next_run(
    bucket: SmallBucket, tmp_path: Path
) -> None:
    lake = Lake(str(tmp_path / "lake"))
    sick = "PMC10003.1/g1.jpg"
    with (
        serve(bucket.root, latency_s=0.01, always={sick: "500"}) as server,
        opened(server.url, first_wait_s=0.001, attempts=3, connections=2) as source,
    ):
        sync(source, lake)
        assert rejects_of(lake, "packages", license_group="commercial", batch=BATCH) == [
            ("unanswered", "PMC10003", "g1.jpg")
        ]
        server.forget()
        sync(source, lake)
        assert server.content_requests() == {sick: 3}
        assert rejects_of(lake, "packages", license_group="commercial", batch=BATCH) == [
            ("unanswered", "PMC10003", "g1.jpg")
        ]
        server.behaviour.always.clear()
        server.forget()
        sync(source, lake)
        assert server.content_requests() == {sick: 1}
        assert rejects_of(lake, "packages", license_group="commercial", batch=BATCH) == []


@pytest.mark.parametrize(
    ("answer", "reason", "requests"),
    [("404", "media_missing", 1), ("403", "refused", 1), ("wrong_bytes", "md5_mismatch", 4)],
)
def test_other_4xx_are_rejects_at_once_and_wrong_bytes_after_retries(
    bucket: SmallBucket, tmp_path: Path, answer: str, reason: str, requests: int
) -> None:
    lake = Lake(str(tmp_path / "lake"))
    with (
        serve(bucket.root, always={"PMC10002.1/g0.jpg": answer}) as server,
        opened(server.url, first_wait_s=0.001, attempts=4) as source,
    ):
        sync(source, lake)
        assert server.requests["PMC10002.1/g0.jpg"] == requests
    found = rejects_of(lake, "packages", license_group="commercial", batch=BATCH)
    assert found == [(reason, "PMC10002", "g0.jpg")]
    assert len(stored_rows(lake, BATCH, "commercial")) == 6 * 4 - 1


def test_a_missing_xml_costs_its_article_alone(bucket: SmallBucket, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    (bucket.root / "PMC10004.1" / "PMC10004.1.xml").unlink()
    with opened(bucket.root) as source:
        sync(source, lake)
    assert rejects_of(lake, "packages", license_group="commercial", batch=BATCH) == [
        ("xml_missing", "PMC10004", "PMC10004.1.xml")
    ]
    assert {row["pmcid"] for row in stored_rows(lake, BATCH, "commercial")} == {
        f"PMC{n}" for n in range(10_001, 10_007) if n != 10_004
    }


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("7", 7.0),
        ("Sun, 22 Nov 2026 19:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 18:00:00 GMT", 0.0),
        ("²", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(stated: str, seconds: float | None) -> None:
    headers = CIMultiDict({"Retry-After": stated, "Date": "Sun, 22 Nov 2026 19:00:00 GMT"})
    assert retry_after_s(headers) == seconds


def test_a_list_of_names_is_asked_for_again(bucket: SmallBucket, tmp_path: Path) -> None:
    with serve(bucket.root) as server, opened(server.url, first_wait_s=0.001, attempts=2) as source:
        server.forget()
        server.behaviour.fault_share, server.behaviour.faults = 1.0, ("503",)
        with pytest.raises(SourceUnavailable, match="PMC_SOURCE"):
            take_inventory(source, Lake(str(tmp_path / "lake")), 10_000)
        assert server.requests == {"?inventory-reports/pmc-oa-opendata/metadata/": 2}


def test_a_source_that_refuses_its_inventory_is_named(bucket: SmallBucket, tmp_path: Path) -> None:
    manifest = "inventory-reports/pmc-oa-opendata/metadata/2026-11-20T01-00Z/manifest.json"
    with (
        serve(bucket.root, always={manifest: "403"}) as server,
        opened(server.url) as source,
        pytest.raises(InventoryUnreadable, match="HTTP 403.*PMC_SOURCE"),
    ):
        take_inventory(source, Lake(str(tmp_path / "lake")), 10_000)


def test_a_body_of_undeclared_length_is_read_within_the_limit(bucket: SmallBucket, tmp_path: Path) -> None:
    bucket.add("PMC10001", media={"g0.jpg": b"0" * 20_000, "g1.jpg": b"1" * 90_000})
    bucket.publish("2026-11-20")
    lake = Lake(str(tmp_path / "lake"))
    chunked = {f"PMC10001.1/g{n}.jpg": "chunked" for n in range(2)}
    with serve(bucket.root, always=chunked) as server, opened(server.url, max_file_bytes=50_000) as source:
        sync(source, lake)
    assert rejects_of(lake, "packages", license_group="commercial", batch=BATCH) == [
        ("too_large", "PMC10001", "g1.jpg")
    ]
    assert_bytes_are_right(lake, stored_rows(lake, BATCH, "commercial"))


def test_a_mirror_may_be_a_prefix_of_a_bucket(bucket: SmallBucket, tmp_path: Path) -> None:
    (tmp_path / "s3" / "lab").mkdir(parents=True)
    bucket.root.rename(tmp_path / "s3" / "lab" / "a mirror")
    with (
        serve(tmp_path / "s3", bucket="lab") as server,
        opened("s3://lab/a mirror", endpoint_url=server.url) as source,
    ):
        assert take_inventory(source, Lake(str(tmp_path / "lake")), 10_000).stored == 6


def test_a_file_url_is_percent_decoded(bucket: SmallBucket, tmp_path: Path) -> None:
    place = tmp_path / "50% of é #1"
    bucket.root.rename(place)
    with opened(place.as_uri()) as source:
        assert take_inventory(source, Lake(str(tmp_path / "lake")), 10_000).stored == 6


@pytest.mark.parametrize("url", ["s3://", "https:///bucket", "s3:/pmc-oa-opendata", "s4://pmc-oa-opendata"])
def test_a_url_that_names_no_place_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="names no host or bucket|s4"), opened(url):
        pass


def test_retry_after_is_waited_for(bucket: SmallBucket, tmp_path: Path) -> None:
    with serve(bucket.root, retry_after="1") as server, opened(server.url, first_wait_s=0.001, attempts=2) as source:
        server.behaviour.fault_share, server.behaviour.faults = 1.0, ("429",)
        started = time.monotonic()
        with pytest.raises(SourceUnavailable):
            take_inventory(source, Lake(str(tmp_path / "lake")), 10_000)
        assert 1.0 <= time.monotonic() - started < 10.0


def test_a_wait_longer_than_the_budget_ends_at_once(bucket: SmallBucket, tmp_path: Path) -> None:
    with serve(bucket.root, retry_after="3600") as server, opened(server.url, budget_s=2) as source:
        server.behaviour.fault_share, server.behaviour.faults = 1.0, ("503",)
        started = time.monotonic()
        with pytest.raises(SourceUnavailable):
            take_inventory(source, Lake(str(tmp_path / "lake")), 10_000)
        assert time.monotonic() - started < 10.0


def test_a_name_too_long_for_the_disk_is_missing(tmp_path: Path) -> None:
    bucket = SmallBucket(tmp_path / "bucket")
    bucket.add("PMC10001", media={}, xml_url=f"s3://pmc-oa-opendata/PMC10001.1/{'x' * 300}.xml")
    bucket.publish("2026-11-20")
    lake = Lake(str(tmp_path / "lake"))
    with opened(bucket.root) as source:
        sync(source, lake)
    assert [r[0] for r in rejects_of(lake, "packages", license_group="commercial", batch=BATCH)] == ["xml_missing"]


def test_names_are_percent_encoded(tmp_path: Path) -> None:
    names = ["fig 1.jpg", "b#2.jpg", "c%20d.jpg", "é+?.jpg"]
    bucket = SmallBucket(tmp_path / "bucket")
    bucket.add("PMC10001", media={name: name.encode() for name in names}, cited=["fig 1.jpg", "b#2.jpg", "é+?.jpg"])
    bucket.publish("2026-11-20")
    lake = Lake(str(tmp_path / "lake"))
    with serve(bucket.root) as server, opened(server.url) as source:
        sync(source, lake)
    rows = stored_rows(lake, BATCH, "commercial")
    assert {row["name"] for row in rows if row["role"] == "media"} == {"fig 1.jpg", "b#2.jpg", "é+?.jpg"}
    assert_bytes_are_right(lake, rows)


def test_a_key_that_leaves_the_root_is_refused(tmp_path: Path) -> None:
    bucket = SmallBucket(tmp_path / "bucket")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    bucket.add("PMC10001", media={"a.jpg": b"a"}, cited=["a.jpg", "secret.jpg"])
    bucket.change("PMC10001", media_urls=["s3://pmc-oa-opendata/PMC10001.1/../../secret.jpg?md5=" + "0" * 32])
    bucket.publish("2026-11-20")
    lake = Lake(str(tmp_path / "lake"))
    with opened(bucket.root.as_uri()) as source:
        sync(source, lake)
    assert rejects_of(lake, "packages", license_group="commercial", batch=BATCH) == [
        ("refused", "PMC10001", "secret.jpg")
    ]
