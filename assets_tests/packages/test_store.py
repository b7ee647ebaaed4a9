"""raw/packages: only what is wanted, only what changed, in parts that need nothing else to be read."""

import json
import tarfile
from pathlib import Path

import pytest
from faulty_server import serve
from forking import start
from small_bucket import SmallBucket, article_xml
from stages import NOW, assert_bytes_are_right, files_of, opened, rejects_of, stored_rows, sync

from pmc_assets import schema
from pmc_assets.filelists.article_versions import update_article_versions
from pmc_assets.filelists.filelists import write_filelists
from pmc_assets.lake import Lake, Partition
from pmc_assets.packages.account import count_unaccounted
from pmc_assets.packages.choose import choose_media
from pmc_assets.packages.compact import compact_packages
from pmc_assets.packages.parts import read_index
from pmc_assets.packages.store import store_packages

BATCH = "PMC00001xxxx"
CELL = Partition.of(license_group="commercial", batch=BATCH)
FOLDER = f"raw/packages/license_group=commercial/batch={BATCH}"


@pytest.fixture
def bucket(tmp_path: Path) -> SmallBucket:
    bucket = SmallBucket(tmp_path / "bucket")
    for number in range(10_001, 10_009):
        bucket.add(f"PMC{number}", media={f"{number}-g{n}.jpg": bytes([n]) * 3_000 for n in range(3)})
    bucket.publish("2026-11-19")
    return bucket


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def sync_day(bucket: SmallBucket, lake: Lake, part_bytes: int = 2**28, url: str = "") -> None:
    with opened(url or bucket.root) as source:
        sync(source, lake, part_bytes=part_bytes, max_shrink=0.5)


def parts_of(lake: Lake) -> list[str]:
    return [path.rsplit("/", 1)[-1] for path in lake.find(FOLDER, ".tar")]


def test_parts_are_plain_tars_within_their_size_and_hold_their_own_index(bucket: SmallBucket, lake: Lake) -> None:
    sync_day(bucket, lake, part_bytes=40_000)
    rows = stored_rows(lake, BATCH, "commercial")
    assert_bytes_are_right(lake, rows)
    assert len(parts_of(lake)) > 2
    assert all(lake.size_bytes(path) <= 40_000 for path in lake.find(FOLDER, ".tar"))
    indexed = [row for path in lake.find(FOLDER, ".tar") for row in read_index(lake, path)]
    assert sorted(map(str, (dict(sorted(row.items())) for row in indexed))) == sorted(
        map(str, (dict(sorted(row.items())) for row in rows))
    )
    with tarfile.open(lake.full_path(rows[0]["part_path"])) as part:
        names = part.getnames()
        assert names[0] == "PMC10001.1/PMC10001.1.xml"
        assert names[-1] == "index.json"
        member = part.getmember(f"PMC10001.1/{rows[1]['name']}")
        assert (member.offset_data, member.mtime, member.uid) == (rows[1]["offset_bytes"], 0, 0)


def test_of_the_media_only_what_figures_show_is_fetched_with_all_formats_of_a_stem(tmp_path: Path, lake: Lake) -> None:
    bucket = SmallBucket(tmp_path / "bucket")
    media = {name: name.encode() for name in ("a.jpg", "a.gif", "B.TIF", "video.mp4", "table.csv", "unused.jpg")}
    bucket.add("PMC10001", media=media, cited=["a.jpg", "b"])
    bucket.publish("2026-11-19")
    with serve(bucket.root) as server:
        sync_day(bucket, lake, url=server.url)
        assert server.content_requests().keys() - {"oa_file_list.csv", "oa_file_list.txt"} == {
            f"PMC10001.1/{name}" for name in ("PMC10001.1.xml", "a.jpg", "a.gif", "B.TIF")
        }
        with opened(server.url) as source:
            store_packages(source, lake, CELL, keep="media")
    assert {row["name"] for row in stored_rows(lake, BATCH, "commercial")} == {*media, "PMC10001.1.xml"}


def test_tables_and_formulas_are_not_figures() -> None:
    xml = article_xml("t", ["fig.jpg"]).replace(
        b"</body>",
        b'<table-wrap><graphic xlink:href="tab.jpg"/></table-wrap>'
        b'<disp-formula><graphic xlink:href="eq.gif"/></disp-formula></body>',
    )
    assert choose_media(xml, ["eq.gif", "fig.jpg", "tab.jpg"], "figures") == ["fig.jpg"]


def test_unreadable_xml_asks_for_nothing() -> None:
    assert choose_media(b"no article", ["a.jpg"], "figures") == []


def test_an_unchanged_partition_costs_no_request_and_gives_the_same_bytes(
    bucket: SmallBucket, lake: Lake, tmp_path: Path
) -> None:
    sync_day(bucket, lake)
    before = files_of(tmp_path / "lake")
    with serve(bucket.root) as server, opened(server.url) as source:
        server.forget()
        result = store_packages(source, lake, CELL)
        assert server.requests.total() == 0
    assert (result.details["files_kept"], result.details["files_fetched"]) == (32, 0)
    assert files_of(tmp_path / "lake") == before


def test_only_a_changed_file_is_fetched_and_goes_into_a_new_part(bucket: SmallBucket, lake: Lake) -> None:
    sync_day(bucket, lake)
    bucket.replace_file("PMC10003", "10003-g1.jpg", b"corrected")
    bucket.publish("2026-11-20")
    with serve(bucket.root) as server:
        sync_day(bucket, lake, url=server.url)
        assert server.good["PMC10003.1/10003-g1.jpg"] == 1
        assert sum(server.content_requests().values()) - 2 == 1
    rows = stored_rows(lake, BATCH, "commercial")
    assert_bytes_are_right(lake, rows)
    moved = next(row for row in rows if row["name"] == "10003-g1.jpg")
    assert (moved["part_path"], moved["size_bytes"]) == (f"{FOLDER}/part-00001.tar", 9)


def test_a_corrected_file_that_a_stopped_run_left_is_not_fetched_again(bucket: SmallBucket, lake: Lake) -> None:
    sync_day(bucket, lake)
    for number in range(10_001, 10_009):
        bucket.replace_file(f"PMC{number}", f"{number}-g1.jpg", str(number).encode() * 400)
    bucket.publish("2026-11-20")
    with opened(bucket.root) as source:
        sync(source, lake, batches=[])
        update_article_versions(source, lake, BATCH, NOW)
        write_filelists(lake, BATCH)

    def stop(done: int, total: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with serve(bucket.root) as server, opened(server.url) as source:
        with pytest.raises(KeyboardInterrupt):
            store_packages(source, lake, CELL, part_bytes=15_000, progress=stop)
        server.forget()
        store_packages(source, lake, CELL, part_bytes=15_000)
        assert set(server.content_requests()) <= {f"PMC{n}.1/{n}-g1.jpg" for n in range(10_005, 10_009)}
    assert_bytes_are_right(lake, stored_rows(lake, BATCH, "commercial"))


def test_what_is_no_longer_offered_leaves_the_index_and_dead_parts_go(bucket: SmallBucket, lake: Lake) -> None:
    sync_day(bucket, lake, part_bytes=20_000)
    for number in range(10_001, 10_005):
        bucket.remove(f"PMC{number}")
    bucket.publish("2026-11-20")
    sync_day(bucket, lake)
    rows = stored_rows(lake, BATCH, "commercial")
    assert {row["pmcid"] for row in rows} == {f"PMC{n}" for n in range(10_005, 10_009)}
    assert set(lake.find(FOLDER, ".tar")) == {row["part_path"] for row in rows}


def test_compaction_drops_dead_bytes_and_keeps_every_file(bucket: SmallBucket, lake: Lake) -> None:
    sync_day(bucket, lake)
    for number in (10_001, 10_002, 10_003, 10_004):
        bucket.remove(f"PMC{number}")
    bucket.publish("2026-11-20")
    sync_day(bucket, lake)
    names = [(row["pmcid"], row["name"], row["md5"]) for row in stored_rows(lake, BATCH, "commercial")]
    result = compact_packages(lake, CELL)
    assert int(result.details["bytes_after"]) < int(result.details["bytes_before"]) * 0.6
    rows = stored_rows(lake, BATCH, "commercial")
    assert [(row["pmcid"], row["name"], row["md5"]) for row in rows] == names
    assert_bytes_are_right(lake, rows)
    assert parts_of(lake) == ["part-00001.tar"]


def test_a_lost_part_is_fetched_again(bucket: SmallBucket, lake: Lake) -> None:
    sync_day(bucket, lake, part_bytes=40_000)
    lake.delete(f"{FOLDER}/part-00000.tar")
    sync_day(bucket, lake, part_bytes=40_000)
    rows = stored_rows(lake, BATCH, "commercial")
    assert len(rows) == 32
    assert_bytes_are_right(lake, rows)


@pytest.mark.parametrize("kept_bytes", [0, 100, 20_000, -1])
def test_what_a_damaged_part_lost_is_fetched_again(bucket: SmallBucket, lake: Lake, kept_bytes: int) -> None:
    sync_day(bucket, lake, part_bytes=40_000)
    folder = Path(lake.full_path(FOLDER))
    part = folder / "part-00000.tar"
    part.write_bytes(part.read_bytes()[:kept_bytes])
    (folder / "part-00077.tar").write_bytes(b"left by a disk that was full")
    (folder / "somebody's.tar").write_bytes(b"not ours")
    sync_day(bucket, lake, part_bytes=40_000)
    rows = stored_rows(lake, BATCH, "commercial")
    assert len(rows) == 32
    assert_bytes_are_right(lake, rows)
    assert set(parts_of(lake)) == {row["part_path"].rsplit("/", 1)[-1] for row in rows} | {"somebody's.tar"}


@pytest.mark.parametrize("first", ["commercial", "noncommercial"])
def test_an_article_that_changed_its_licence_is_not_fetched_again(bucket: SmallBucket, lake: Lake, first: str) -> None:
    for number in range(10_001, 10_009):
        bucket.change(f"PMC{number}", license_code="CC BY-NC" if number > 10_004 else "CC BY")
    bucket.publish("2026-11-19")
    sync_day(bucket, lake, part_bytes=15_000)
    old, new = ("CC BY", "CC BY-NC") if first == "commercial" else ("CC BY-NC", "CC BY")
    moved = "PMC10002" if old == "CC BY" else "PMC10006"
    bucket.change(moved, license_code=new)
    bucket.publish("2026-11-20")
    with serve(bucket.root) as server:
        sync_day(bucket, lake, url=server.url)
        assert set(server.content_requests()) <= {"oa_file_list.csv", "oa_file_list.txt"}
    here, there = ("noncommercial", "commercial") if first == "commercial" else ("commercial", "noncommercial")
    rows = stored_rows(lake, BATCH, here)
    assert moved in {row["pmcid"] for row in rows}
    assert moved not in {row["pmcid"] for row in stored_rows(lake, BATCH, there)}
    assert_bytes_are_right(lake, rows)
    live = {row["part_path"] for group in (here, there) for row in stored_rows(lake, BATCH, group)}
    assert set(lake.find("raw/packages", ".tar")) == live


def test_versions_that_are_not_preferred_are_rejects_and_every_offer_is_accounted_for(
    bucket: SmallBucket, lake: Lake
) -> None:
    bucket.add("PMC10001", version=2)
    bucket.publish("2026-11-20")
    sync_day(bucket, lake)
    assert rejects_of(lake, "packages", license_group="commercial", batch=BATCH) == [
        ("not_preferred", "PMC10001", None)
    ]
    assert count_unaccounted(lake, CELL) == 0
    lake.write_rejects("packages", schema.CORE_REJECTS.empty(), CELL)
    assert count_unaccounted(lake, CELL) == 1


def test_a_name_too_long_for_a_tar_header_is_stored_all_the_same(tmp_path: Path, lake: Lake) -> None:
    bucket = SmallBucket(tmp_path / "bucket")
    name = "é" * 100 + ".jpg"
    bucket.add("PMC10001", media={name: b"image"})
    bucket.publish("2026-11-19")
    sync_day(bucket, lake)
    rows = stored_rows(lake, BATCH, "commercial")
    assert [row["name"] for row in rows] == ["PMC10001.1.xml", name]
    assert_bytes_are_right(lake, rows)
    with tarfile.open(lake.full_path(rows[0]["part_path"])) as part:
        assert len(part.getnames()) == 3


def test_a_media_list_that_repeats_a_file_stores_it_once(bucket: SmallBucket, lake: Lake) -> None:
    fields = json.loads((bucket.root / "metadata" / "PMC10001.1.json").read_bytes())
    bucket.change("PMC10001", media_urls=fields["media_urls"] * 2)
    bucket.publish("2026-11-20")
    sync_day(bucket, lake)
    assert len([row for row in stored_rows(lake, BATCH, "commercial") if row["pmcid"] == "PMC10001"]) == 4


def test_a_remote_lake_gives_the_same_rows(bucket: SmallBucket, lake: Lake, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    remote = Lake("memory://packages-lake")
    sync_day(bucket, lake, part_bytes=40_000)
    sync_day(bucket, remote, part_bytes=40_000)
    assert stored_rows(remote, BATCH, "commercial") == stored_rows(lake, BATCH, "commercial")
    assert_bytes_are_right(remote, stored_rows(remote, BATCH, "commercial"))
    bucket.replace_file("PMC10003", "10003-g1.jpg", b"corrected")
    bucket.publish("2026-11-20")
    sync_day(bucket, remote)
    assert_bytes_are_right(remote, stored_rows(remote, BATCH, "commercial"))
    assert not list(tmp_path.glob(".tmp*"))
    remote.delete("")


def _store(url: str, lake: str) -> None:
    with opened(url, connections=2) as source:
        store_packages(source, Lake(lake), CELL, part_bytes=40_000)


def test_two_runs_of_one_partition_at_once_both_end_with_a_whole_one(
    bucket: SmallBucket, lake: Lake, tmp_path: Path
) -> None:
    sync_day(bucket, lake, part_bytes=40_000)
    alone = files_of(tmp_path / "lake")
    for path in (*lake.find(FOLDER, ".tar"), f"{FOLDER}/packages.parquet"):
        lake.delete(path)
    with serve(bucket.root, latency_s=0.02) as server:
        runs = [start(_store, server.url, str(tmp_path / "lake")) for _ in range(2)]
        for run in runs:
            run.join()
        assert [run.exitcode for run in runs] == [0, 0]
        assert max(server.good.values()) == 1
    assert files_of(tmp_path / "lake") == alone
