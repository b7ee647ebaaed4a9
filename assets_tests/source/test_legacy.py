"""The legacy layout: lists by header, tarballs as streams, and what a bad tarball costs."""

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path

import pyarrow as pa
import pytest
from faulty_server import serve
from small_bucket import article_xml
from stages import assert_bytes_are_right, files_of, opened, rejects_of, stored_rows, sync

from pmc_assets import schema
from pmc_assets.filelists.inventory import last_snapshot, take_inventory
from pmc_assets.lake import Lake, Partition
from pmc_assets.packages.choose import Keep, choose_media
from pmc_assets.source.answers import TooLarge
from pmc_assets.source.archives import BadArchive, unpack_article
from pmc_assets.source.csv_rows import parse_time, parse_times
from pmc_assets.source.legacy_lists import UnreadableFileList, is_list_name, parse_pmid, read_list
from pmc_assets.source.source import ListedVersion

BATCH = "PMC00001xxxx"
HEADER = "File,Article Citation,Accession ID,Last Updated (YYYY-MM-DD HH:MM:SS),PMID,License\n"
XML = article_xml("t", ["a.jpg"])
Members = list[tuple[tarfile.TarInfo, bytes]]


def member(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def tarball(members: Members) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), 1)


def good(number: int) -> Members:
    return [
        member(f"PMC{number}/x.nxml", XML),
        member(f"PMC{number}/a.jpg", b"image"),
        member(f"PMC{number}/b.pdf", b"p"),
    ]


def make_legacy(root: Path, packages: dict[int, bytes]) -> None:
    lines = HEADER
    for number, content in packages.items():
        path = root / "oa_package" / "00" / f"PMC{number}.tar.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        lines += f'oa_package/00/PMC{number}.tar.gz,"J, 2001; 1",PMC{number},2019-11-05 11:56:12,{number},CC BY\n'
    (root / "oa_file_list.csv").write_text(lines)


def unpack(tmp_path: Path, content: bytes, keep: Keep = "figures", **limits: int):  # noqa: ANN202
    path = tmp_path / "package.tar.gz"
    path.write_bytes(content)

    def choose(xml: bytes, names: list[str]) -> list[str]:
        return choose_media(xml, names, keep)

    return unpack_article(path, choose, **({"max_file_bytes": 10**6} | limits))


def test_the_xml_and_the_media_that_it_shows_are_read_and_nothing_else(tmp_path: Path) -> None:
    unpacked = unpack(tmp_path, tarball(list(reversed(good(1)))))
    assert (unpacked.xml_name, unpacked.xml, unpacked.media) == ("x.nxml", XML, {"a.jpg": b"image"})
    assert unpacked.left_out == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (member("../a.jpg", b"image"), "unsafe_member"),
        (member("/etc/a.jpg", b"image"), "unsafe_member"),
        (member("PMC1/../../a.jpg", b"image"), "unsafe_member"),
        (member("PMC1/a.jpg", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "unsafe_member"),
        (member("PMC1/a.jpg", type=tarfile.LNKTYPE, linkname="x.nxml"), "unsafe_member"),
        (member("PMC1/a.jpg", type=tarfile.CHRTYPE), "unsafe_member"),
        (member("PMC1/a.jpg", type=tarfile.FIFOTYPE), "unsafe_member"),
        (member("PMC1/a.jpg", b"\0" * 2_000_000), "too_large"),
    ],
)
def test_an_unsafe_or_too_large_member_is_left_out_by_name(
    tmp_path: Path, bad: tuple[tarfile.TarInfo, bytes], reason: str
) -> None:
    unpacked = unpack(tmp_path, tarball([member("PMC1/x.nxml", XML), bad]))
    assert unpacked.media == {}
    assert [(name, why) for name, why, _ in unpacked.left_out] == [(bad[0].name, reason)]


def test_a_bomb_is_stopped_by_its_real_size(tmp_path: Path) -> None:
    content = tarball([member("PMC1/x.nxml", XML), *(member(f"PMC1/{n}.jpg", b"\0" * 10**6) for n in range(30))])
    assert len(content) < 300_000
    with pytest.raises(TooLarge):
        unpack(tmp_path, content, max_unpacked_bytes=10**7)


def test_of_several_xml_files_the_first_nxml_is_the_article(tmp_path: Path) -> None:
    others = [member(f"PMC1/{name}", b"<other/>") for name in ("a.xml", "sub/b.xml")]
    members = [*others, member("PMC1/sub/x.nxml", XML), member("PMC1/z.nxml", b"<other/>"), member("PMC1/a.jpg", b"i")]
    unpacked = unpack(tmp_path, tarball(members))
    assert (unpacked.xml_name, unpacked.xml, unpacked.media) == ("x.nxml", XML, {"a.jpg": b"i"})


def test_xml_files_beside_the_article_are_media(tmp_path: Path) -> None:
    others = [member("PMC1/S1.xml", b"<s/>"), member("PMC1/sub/x.nxml", b"<other/>")]
    unpacked = unpack(tmp_path, tarball([*good(1), *others]), keep="media")
    assert (unpacked.xml, unpacked.media) == (XML, {"S1.xml": b"<s/>", "a.jpg": b"image", "b.pdf": b"p"})
    assert unpacked.left_out == [("PMC1/sub/x.nxml", "unsafe_member", "a second member of this name")]


def test_names_that_are_not_utf_8_are_read_as_latin_1(tmp_path: Path) -> None:
    names = ["PMC1/\udce9.nxml", "../\udce9.jpg", "PMC1/\udce8.jpg"]
    unpacked = unpack(tmp_path, tarball([member(name, XML) for name in names]))
    assert unpacked.xml_name == "é.nxml"
    assert [name for name, _, _ in unpacked.left_out] == ["../é.jpg"]


def test_a_header_that_is_a_bomb_is_stopped(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**33
    with pytest.raises(TooLarge):
        unpack(tmp_path, gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(10_000)))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"no archive at all",
        lambda content: b"",
        lambda content: gzip.compress(b"no tar" * 1000),
        lambda content: content[:200] + bytes(50) + content[250:],
        lambda content: tarball([member("PMC1/a.jpg", b"image")]),
    ],
)
def test_an_archive_that_cannot_be_read_or_holds_no_article_is_bad(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    noise = [member(f"PMC1/{n}.bin", os.urandom(500)) for n in range(3)]
    with pytest.raises(BadArchive):
        unpack(tmp_path, damage(tarball([*good(1), *noise])))


def test_one_broken_tarball_costs_only_itself(tmp_path: Path) -> None:
    root = tmp_path / "legacy"
    packages = {number: tarball(good(number)) for number in range(10_001, 10_006)}
    packages[10_002] = packages[10_002][:100]
    packages[10_003] = tarball([*good(10_003)[:1], member("../a.jpg", b"image")])
    make_legacy(root, packages)
    (root / "oa_package" / "00" / "PMC10004.tar.gz").unlink()
    lake = Lake(str(tmp_path / "lake"))
    with opened(root) as source:
        synced = sync(source, lake)
    assert [r[:2] for r in rejects_of(lake, "packages", license_group="commercial", batch=BATCH)] == [
        ("bad_archive", "PMC10002"),
        ("unsafe_member", "PMC10003"),
        ("xml_missing", "PMC10004"),
    ]
    rows = stored_rows(lake, BATCH, "commercial")
    assert [row["pmcid"] for row in rows] == ["PMC10001", "PMC10001", "PMC10003", "PMC10005", "PMC10005"]
    assert_bytes_are_right(lake, rows)
    assert all(result.is_accounted_for for result in synced.packages.values())


def test_unchanged_lists_cost_no_tarball_and_a_new_date_costs_one(tmp_path: Path) -> None:
    root = tmp_path / "legacy"
    make_legacy(root, {number: tarball(good(number)) for number in (10_001, 10_002)})
    lake = Lake(str(tmp_path / "lake"))
    with serve(root) as server:
        with opened(server.url) as source:
            sync(source, lake)
        before = files_of(tmp_path / "lake")
        server.forget()
        with opened(server.url) as source:
            sync(source, lake)
        assert {key for key in server.requests if "tar" in key} == set()
        assert files_of(tmp_path / "lake") == before
        text = (root / "oa_file_list.csv").read_text()
        (root / "oa_file_list.csv").write_text(text.replace("PMC10002,2019-11-05", "PMC10002,2020-01-01"))
        with opened(server.url) as source:
            synced = sync(source, lake)
        assert {key for key in server.requests if "tar" in key} == {"oa_package/00/PMC10002.tar.gz"}
    assert synced.packages[BATCH, "commercial"].details["files_kept"] == 4


def test_a_url_may_name_its_list(tmp_path: Path) -> None:
    root = tmp_path / "legacy"
    make_legacy(root, {10_001: tarball(good(10_001))})
    (root / "oa_file_list.csv").rename(root / "oa_file_list.excerpt.csv")
    lake = Lake(str(tmp_path / "lake"))
    with opened(root / "oa_file_list.excerpt.csv") as source:
        assert take_inventory(source, lake, 10_000).stored == 1


def test_a_damaged_compressed_list_is_refused_by_name(tmp_path: Path) -> None:
    rows = "".join(
        f"oa_package/00/00/PMC{n}.tar.gz,J. 2001,PMC{n},2019-11-05 11:56:12,{n},CC BY\n" for n in range(1, 999)
    )
    whole = gzip.compress((HEADER + rows).encode())
    for damaged in (whole[:50] + b"\xff" * 50 + whole[100:], whole[: len(whole) // 2], b"no gzip at all"):
        (tmp_path / "oa_file_list.csv.gz").write_bytes(damaged)
        with opened(tmp_path) as source, pytest.raises(UnreadableFileList, match="oa_file_list.csv.gz cannot be read"):
            take_inventory(source, Lake(str(tmp_path / "lake")), 10_000)
        assert not (tmp_path / "lake" / "raw").exists()


def test_a_row_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    root, lake = tmp_path / "legacy", Lake(str(tmp_path / "lake"))
    make_legacy(root, {number: tarball(good(number)) for number in (10_001, 10_002, 10_003)})
    text = (root / "oa_file_list.csv").read_text().replace("10003,CC BY", "²,CC BY")
    text = text.replace("PMC10002,2019-11-05", "PMC10002,2019-02-31") + (
        ",J,PMC10004,2019-11-05 11:56:12,4,CC BY\n"
        "a.tar.gz,J, with, commas,PMC10005,2019-11-05 11:56:12,5,CC BY\n\n"
        "b.tar.gz,J\n"
        "c.tar.gz,J,pmc10006,n/a,99999999999999999999,CC BY\n"
    )
    (root / "oa_file_list.csv").write_text("\ufeff" + text.replace("\n", "\r\n"))
    with opened(root) as source:
        result = take_inventory(source, lake, 10_000)
        assert (result.stored, result.rejected.total(), last_snapshot(lake)) == (3, 4, "2019-11-05")
        sync(source, lake)
    assert {name for _, _, name in rejects_of(lake, "inventory")} == {
        "PMC10004",
        "a.tar.gz,J, with, commas,PMC10005,2019-11-05 11:56:12,5,CC BY",
        "b.tar.gz,J",
        "pmc10006",
    }
    assert {row["pmcid"] for row in stored_rows(lake, BATCH, "commercial")} == {"PMC10001", "PMC10002", "PMC10003"}


def test_of_two_rows_of_an_article_the_newest_states_its_licence(tmp_path: Path) -> None:
    root, lake = tmp_path / "legacy", Lake(str(tmp_path / "lake"))
    make_legacy(root, {10_001: tarball(good(10_001))})
    path = root / "oa_file_list.csv"
    old = path.read_text().removeprefix(HEADER)
    path.write_text(HEADER + old.replace("2019", "2021", 1).replace("CC BY", "CC BY-NC") + old)
    with opened(root) as source:
        sync(source, lake)
    assert stored_rows(lake, BATCH, "commercial") == []
    assert len(stored_rows(lake, BATCH, "noncommercial")) == 2


def test_a_retraction_of_any_bulk_list_counts(tmp_path: Path) -> None:
    make_legacy(tmp_path, {number: tarball(good(number)) for number in (10_001, 10_002, 10_003)})
    head = "Article File,Article Citation,AccessionID,LastUpdated (YYYY-MM-DD HH:MM:SS),PMID,License"
    for name, retracted in (("a", ("yes", "no", "no")), ("b", ("no", "yes", "no"))):
        rows = [
            f"{n}.xml,J,PMC{10_000 + n},2019-11-05 11:56:12,{n},CC BY,{said}" for n, said in enumerate(retracted, 1)
        ]
        (tmp_path / f"{name}.filelist.csv").write_text("\n".join([f"{head},Retracted", *rows]))
    (tmp_path / "c.filelist.csv").write_text(f"{head}\n1.xml,J,PMC10001,2019-11-05 11:56:12,1,CC BY\n")
    with opened(tmp_path) as source:
        answers = source.read_metadata(ListedVersion(f"PMC{number}", 1) for number in (10_001, 10_002, 10_003))
        assert [(answer.fields or {})["is_retracted"] for answer in answers] == [True, True, False]


def test_the_lists_of_an_open_source_are_looked_for_once(tmp_path: Path) -> None:
    make_legacy(tmp_path, {10_001: tarball(good(10_001))})
    with serve(tmp_path) as server, opened(server.url) as source:
        for _ in range(2):
            assert [answer.is_missing for answer in source.read_metadata([ListedVersion("PMC10001", 1)])] == [False]
        assert server.requests["?"] == 1


def test_times_are_read_the_same_one_by_one_and_by_the_column() -> None:
    texts = [
        "2019-11-05T11:56:12+02:00",
        " 2019-11-05 11:56:12",
        "2019-11-05",
        "2019-11-05T11:56:12.5Z",
        "n/a",
        "0000-01-01 00:00:00",
        None,
    ]
    seconds = (datetime(2019, 11, 5, 9, 56, 12, tzinfo=UTC), datetime(2019, 11, 5, 11, 56, 12, tzinfo=UTC))
    times = [*seconds, datetime(2019, 11, 5, tzinfo=UTC), seconds[1] + timedelta(seconds=0.5), None, None, None]
    assert [parse_time(text) for text in texts] == times
    assert parse_times(pa.chunked_array([texts])).to_pylist() == times
    for text, time in zip(texts, times, strict=True):
        assert parse_times(pa.chunked_array([[text]], pa.string())).to_pylist() == [time]


def test_a_list_whose_dates_are_days_is_dated(tmp_path: Path) -> None:
    make_legacy(tmp_path, {10_001: tarball(good(10_001))})
    path, lake = tmp_path / "oa_file_list.csv", Lake(str(tmp_path / "lake"))
    path.write_text(path.read_text().replace(" 11:56:12", ""))
    with opened(tmp_path) as source:
        take_inventory(source, lake, 10_000)
    assert last_snapshot(lake) == "2019-11-05"


def test_a_legacy_folder_may_be_a_bucket(tmp_path: Path) -> None:
    make_legacy(tmp_path / "s3" / "lab", {10_001: tarball(good(10_001))})
    lake = Lake(str(tmp_path / "lake"))
    with serve(tmp_path / "s3", bucket="lab") as server, opened("s3://lab", endpoint_url=server.url) as source:
        sync(source, lake)
    assert len(stored_rows(lake, BATCH, "commercial")) == 2


def test_a_list_without_the_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "oa_file_list.csv").write_text("a,b\n1,2\n")
    with opened(tmp_path) as source, pytest.raises(UnreadableFileList):
        take_inventory(source, Lake(str(tmp_path / "lake")), 10_000)


@pytest.mark.parametrize(
    ("text", "pmid"),
    [("11250746", 11250746), ("PMID:11250746", 11250746), ("", None), ("PMID:", None), (None, None), ("0", None)],
)
def test_pmids_are_read_in_both_spellings(text: str | None, pmid: int | None) -> None:
    assert parse_pmid(text) == pmid


def test_real_lists_are_read_by_header(shared: Path, tmp_path: Path) -> None:
    lists = shared / "oa_lists"
    by_list = {
        p.name: [row for rows in read_list(p) for row in rows.to_pylist()]
        for p in lists.iterdir()
        if is_list_name(p.name)
    }
    csv, txt, bulk = (by_list[name] for name in sorted(by_list, key=lambda n: ("10000" not in n, "txt" not in n)))
    assert len(csv) == 10_000
    assert {row["pmcid"][:3] for row in csv} == {"PMC"}
    assert txt[0]["path"] == csv[0]["path"] == "oa_package/08/e0/PMC13900.tar.gz"
    assert parse_pmid(txt[0]["pmid"]) == parse_pmid(csv[0]["pmid"]) == 11250746
    assert {row["retracted"] for row in bulk} <= {"yes", "no"}


def test_real_tarballs_give_the_files_that_are_in_them(shared: Path, tmp_path: Path) -> None:
    root = shared / "pmc_mirror" / "legacy"
    lake = Lake(str(tmp_path / "lake"))
    with opened(root.as_uri()) as source:
        sync(source, lake)
    rows = stored_rows(lake, "PMC09900xxxx", "commercial") + stored_rows(lake, "PMC01241xxxx", "commercial")
    assert_bytes_are_right(lake, rows)
    with tarfile.open(root / "oa_package/e4/9c/PMC12419688.tar.gz") as archive:
        in_archive = {
            Path(m.name).name: md5(archive.extractfile(m).read()).hexdigest()
            for m in archive
            if m.isreg()  # type: ignore[union-attr]
        }
    stored = {row["name"]: row["md5"] for row in rows if row["pmcid"] == "PMC12419688"}
    assert stored == {name: in_archive[name] for name in ("koaf197.nxml", "koaf197f1.jpg", "koaf197f1.gif")}
    filelist = lake.read_table(schema.RAW_FILELISTS, Partition.of(license_group="commercial", batch="PMC01241xxxx"))
    assert filelist["pmid"].to_pylist() == [40795775]
