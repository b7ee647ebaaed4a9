"""The lake: partitions whole or absent, identical bytes, settings fixed, dead scratch swept."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pmc_assets import schema
from pmc_assets.batches import batch_of
from pmc_assets.lake import SCRATCH, Lake, LakeSettingChanged, Partition
from pmc_assets.licenses import license_group
from pmc_assets.rejects import Reject, gather_rejects, rejects_table
from pmc_assets.table_checks import count_duplicate_keys

CELL = Partition.of(license_group="commercial", batch="PMC00000xxxx")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def mentions(count: int) -> pa.Table:
    return schema.CORE_MENTIONS.from_rows(
        [
            {"pmcid": f"PMC{n + 1}", "version": 1, "figure_index": 0, "mention_index": 0, "text": f"see {n}"}
            for n in range(count)
        ]
    )


def test_rows_come_back_with_their_meanings(lake: Lake) -> None:
    written = lake.write_table(schema.CORE_MENTIONS, mentions(3), CELL)
    rows = lake.read_table(schema.CORE_MENTIONS, CELL)
    assert rows.equals(mentions(3))
    assert rows.schema.field("text").metadata[b"description"]
    assert written.rows == 3 and written.size_bytes == lake.size_bytes(written.paths[0])


def test_same_rows_give_same_bytes_however_they_are_cut(lake: Lake) -> None:
    rows = mentions(40_000)
    whole = lake.write_table(schema.CORE_MENTIONS, rows, CELL)
    with lake.writers([schema.CORE_MENTIONS], CELL) as writers:
        for start in range(0, rows.num_rows, 777):
            writers["core.mentions"].append(rows.slice(start, 777))
    assert writers["core.mentions"].written.digest == whole.digest


def test_no_rows_is_an_absent_partition(lake: Lake) -> None:
    path = lake.write_table(schema.CORE_MENTIONS, mentions(3), CELL).paths[0]
    lake.write_table(schema.CORE_MENTIONS, mentions(0), CELL)
    assert not lake.exists(path)
    assert lake.read_table(schema.CORE_MENTIONS, CELL).num_rows == 0


def test_a_failed_write_leaves_the_old_partition_and_no_scratch(lake: Lake) -> None:
    lake.write_table(schema.CORE_MENTIONS, mentions(3), CELL)
    with pytest.raises(RuntimeError), lake.writers([schema.CORE_MENTIONS, schema.CORE_FIGURES], CELL) as writers:
        writers["core.mentions"].append(mentions(5))
        raise RuntimeError
    assert lake.read_table(schema.CORE_MENTIONS, CELL).num_rows == 3
    assert not Path(lake.full_path(SCRATCH)).exists()


def test_scratch_of_a_dead_process_is_swept(lake: Lake) -> None:
    dead = Path(lake.full_path(SCRATCH)) / "dead"
    dead.mkdir(parents=True)
    dead.with_suffix(".lock").touch()
    (dead / "half.parquet").write_bytes(b"half")
    with lake.scratch():
        assert not dead.exists()


def test_live_scratch_is_left_alone(lake: Lake) -> None:
    with lake.scratch() as first, lake.scratch():
        assert first.exists()


def test_writers_at_once_do_not_miss_the_folder_that_another_removes(lake: Lake) -> None:
    def write_again_and_again(_: int) -> int:
        for _ in range(200):
            with lake.scratch() as folder:
                assert folder.is_dir()
        return 200

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(write_again_and_again, range(4))) == 800
    assert not Path(lake.full_path(SCRATCH)).exists()


def test_a_file_in_the_place_of_scratch_is_named(lake: Lake) -> None:
    Path(lake.root).mkdir()
    Path(lake.full_path(SCRATCH)).touch()
    with pytest.raises(NotADirectoryError), lake.scratch():
        pass


def test_a_folder_is_replaced_whole(lake: Lake) -> None:
    for names in (["a", "b"], ["c"]):
        with lake.scratch() as scratch:
            folder = scratch / "out"
            folder.mkdir()
            for name in names:
                (folder / name).write_text(name)
            lake.publish_folder(folder, "out/shards/x")
    assert lake.find("out/shards/x") == ["out/shards/x/c"]


def test_a_file_or_folder_of_the_same_bytes_stays(lake: Lake) -> None:
    lake.write_bytes("a/file", b"1")
    there = Path(lake.full_path("a/file"))
    first = there.stat()
    lake.write_bytes("a/file", b"1")
    assert (there.stat().st_ino, there.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    lake.write_bytes("a/file", b"2")
    assert there.read_bytes() == b"2"

    def publish(files: dict[str, bytes]) -> int:
        with lake.scratch() as folder:
            for name, content in files.items():
                (folder / "made" / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / "made" / name).write_bytes(content)
            lake.publish_folder(folder / "made", "b")
        whole = Path(lake.full_path("b"))
        assert {p.relative_to(whole).as_posix(): p.read_bytes() for p in whole.rglob("*") if p.is_file()} == files
        return whole.stat().st_ino

    files = {"x": b"1", "deep/y": b"2"}
    inode = publish(files)
    assert publish(files) == inode
    for others in ({**files, "x": b"3"}, {**files, "z": b""}, {"x": b"1"}, {"x": b"1", "deep/y/z": b"2"}, files):
        assert publish(others) != inode
        inode = Path(lake.full_path("b")).stat().st_ino


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_folder_that_another_stage_removes_in_between_is_made_again(
    lake: Lake, is_folder: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = Path.mkdir

    def mkdir_for_nothing(path: Path, *args: Any, **kwargs: Any) -> None:
        mkdir(path, *args, **kwargs)
        if path.name == "x":
            monkeypatch.undo()
            lake.delete("out/x/other")

    with lake.scratch() as scratch:
        (scratch / "out").mkdir()
        (scratch / "out" / "a").write_text("a")
        monkeypatch.setattr(Path, "mkdir", mkdir_for_nothing)
        if is_folder:
            lake.publish_folder(scratch / "out", "out/x/y")
        else:
            lake.publish_file(scratch / "out" / "a", "out/x/a")
    assert lake.find("out") == ["out/x/y/a" if is_folder else "out/x/a"]


def test_a_file_that_is_not_there_is_not_waited_for(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        lake.publish_file(tmp_path / "absent", "out/x")


def test_a_wrong_type_is_refused(lake: Lake) -> None:
    rows = mentions(1).set_column(2, "figure_index", pa.array(["first"]))
    with pytest.raises(pa.ArrowInvalid):
        lake.write_table(schema.CORE_MENTIONS, rows, CELL)


def test_a_fixed_setting_cannot_change(lake: Lake) -> None:
    lake.fix_setting("batch_ids", 10_000)
    lake.fix_setting("batch_ids", 10_000)
    with pytest.raises(LakeSettingChanged, match="batch_ids = 10000, not 1000"):
        lake.fix_setting("batch_ids", 1_000)


def test_duplicate_keys_are_counted(lake: Lake) -> None:
    lake.write_table(schema.CORE_MENTIONS, pa.concat_tables([mentions(3), mentions(2)]), CELL)
    assert count_duplicate_keys(lake, schema.CORE_MENTIONS, CELL) == 2


def test_rejects_of_all_stages_are_gathered(lake: Lake) -> None:
    lake.write_rejects("images", rejects_table([Reject("images", "image_unreadable", "PMC1", 1, "0/0 a.jpg")]), CELL)
    lake.write_rejects("articles", rejects_table([Reject("articles", "bad_xml", "PMC2", 1)] * 2), CELL)
    assert gather_rejects(lake, CELL).details == {"articles/bad_xml": 2, "images/image_unreadable": 1}


def test_a_reason_outside_the_closed_list_is_refused() -> None:
    with pytest.raises(ValueError, match="closed list"):
        Reject("images", "bad_mood")


@pytest.mark.parametrize(
    ("pmcid", "batch"), [("PMC10009416", "PMC01000xxxx"), ("PMC1", "PMC00000xxxx"), ("PMC99002603", "PMC09900xxxx")]
)
def test_batch_is_named_like_nlms_ranges(pmcid: str, batch: str) -> None:
    assert batch_of(pmcid) == batch


@pytest.mark.parametrize("text", ["10009416", "PMC", "PMC0", "PMC1.1", "pmc1", "PMC1234567890", ""])
def test_a_text_that_is_no_pmcid_has_no_batch(text: str) -> None:
    with pytest.raises(ValueError, match="not a PMCID"):
        batch_of(text)


@pytest.mark.parametrize(
    ("code", "group"),
    [("CC BY-ND", "commercial"), ("CC BY-NC", "noncommercial"), ("TDM", "other"), (None, "other"), ("CC-BY", "other")],
)
def test_license_group_follows_from_the_code(code: str | None, group: str) -> None:
    assert license_group(code) == group
