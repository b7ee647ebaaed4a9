"""The whole lake of the real bucket and of the real tarballs, read back and compared with the source itself."""

import hashlib
import json
from pathlib import Path

import pytest
from lxml import etree
from made_lake import ONE_AT_ONCE, ONE_REAL_BATCH, REAL_BATCH, MadeLake, run_command

pytestmark = pytest.mark.mirror
FORGOTTEN = {"PMC_SAMPLE_ARTICLES": "3"} | ONE_REAL_BATCH


def test_all_versions_are_listed_and_the_left_out_have_a_reason(mirror: Path, mirror_lake: MadeLake) -> None:
    listed = {path.stem for path in (mirror / "metadata").glob("*.json")}
    assert {f"{p}.{v}" for p, v in mirror_lake.rows("select pmcid, version from raw.article_versions")} == listed
    left_out = mirror_lake.rows(
        "select pmcid, version, reason from core.rejects where stage in ('filelists', 'packages') order by all"
    )
    assert left_out == [("PMC98765432", 1, "not_open_access"), ("PMC99000137", 2, "not_preferred")]
    articles = mirror_lake.rows("select count(*) from core.articles")[0][0]
    assert articles == len(listed) - len(left_out)


def test_every_figure_with_media_has_its_image(mirror: Path, mirror_lake: MadeLake) -> None:
    """An independent reading: every href of a graphic inside a fig whose stem is a media file of the version."""
    stored = {(p, v, n) for p, v, n in mirror_lake.rows("select pmcid, version, image_name from core.images")}
    rejected = {(p, v) for p, v in mirror_lake.rows("select pmcid, version from core.rejects where stage = 'images'")}
    paired = 0
    for pmcid, version in mirror_lake.rows("select pmcid, version from core.articles"):
        folder = mirror / f"{pmcid}.{version}"
        media = {path.stem.lower(): path.name for path in folder.iterdir() if not path.name.startswith(pmcid + ".")}
        tree = etree.parse(str(folder / f"{folder.name}.xml"), etree.XMLParser(recover=True, resolve_entities=False))
        for graphic in tree.xpath("//*[local-name()='fig']//*[local-name()='graphic']"):
            among = graphic.getparent().xpath("self::*[local-name()='alternatives']/*") or [graphic]
            hrefs = [href for one in among for href in one.xpath("@*[local-name()='href']")]
            names = {media.get(href.lower()) or media.get(Path(href).stem.lower()) for href in hrefs} - {None}
            is_paired = any((pmcid, version, name) in stored for name in names)
            assert is_paired or not names or (pmcid, version) in rejected, (folder.name, hrefs)
            paired += is_paired
    assert paired > 120


def test_every_image_points_at_the_bytes_of_the_source(mirror: Path, mirror_lake: MadeLake) -> None:
    rows = mirror_lake.rows(
        "select pmcid, version, image_name, part_path, offset_bytes, size_bytes, image_sha256 from core.images"
    )
    for pmcid, version, name, part, offset, size, sha256 in rows:
        content = (mirror / f"{pmcid}.{version}" / name).read_bytes()
        assert mirror_lake.lake.read_bytes(part, offset, size) == content
        assert hashlib.sha256(content).hexdigest() == sha256


def test_the_placeholder_is_an_unreadable_image(mirror_lake: MadeLake) -> None:
    assert mirror_lake.rows("select version, reason from core.rejects where pmcid = 'PMC99002603'") == [
        (1, "image_unreadable")
    ]


def test_gif_twins_are_not_doubled(mirror_lake: MadeLake) -> None:
    assert (
        mirror_lake.rows(
            "select pmcid, figure_index, graphic_index, count(*) from core.images group by all having count(*) > 1"
        )
        == []
    )
    twins = mirror_lake.rows("""
        select count(*) from core.images a join core.images b using (pmcid, version)
        where regexp_replace(a.image_name, '\\.[^.]+$', '') = regexp_replace(b.image_name, '\\.[^.]+$', '')
        and a.image_name < b.image_name""")
    assert twins == [(0,)]


def test_warehouse_answers_the_join_of_figures_articles_and_rejects(mirror_lake: MadeLake) -> None:
    groups = dict(mirror_lake.rows("select license_group, count(*) from out.samples group by 1"))
    assert groups["commercial"] > groups["noncommercial"] > 0
    rows = mirror_lake.rows("""
        select a.journal_title, count(distinct (f.pmcid, f.figure_index)), count(r.reason)
        from core.figures f join core.articles a using (pmcid, version) left join core.rejects r using (pmcid, version)
        group by 1 order by 2 desc""")
    assert rows and rows[0][1] > 1


def test_json_lines_hold_each_article_with_figures_once(mirror_lake: MadeLake) -> None:
    lines = [json.loads(line) for path in mirror_lake.root.rglob("*.jsonl") for line in path.open()]
    with_figures = mirror_lake.rows("select count(distinct pmcid) from core.figures where kind = 'figure'")[0][0]
    assert 0 < len(lines) <= with_figures
    assert len({line["pmc"] for line in lines}) == len(lines)


def test_the_same_articles_come_through_the_tarballs(mirror_lake: MadeLake, legacy_lake: MadeLake) -> None:
    sql = """select pmcid, figure_index, graphic_index, image_sha256 from core.images
             where pmcid in (select pmcid from core.articles) order by all"""
    legacy = set(legacy_lake.rows(sql))
    pmcids = {row[0] for row in legacy}
    assert len(pmcids) >= 8
    assert {row for row in mirror_lake.rows(sql) if row[0] in pmcids} <= legacy


def test_forgetting_the_source_does_not_put_the_sample_into_a_lake_of_real_articles(mirror_lake: MadeLake) -> None:
    answer = run_command(mirror_lake.home, "sync", **FORGOTTEN)
    assert answer.returncode != 0
    assert "made with contents = articles of PMC, not the embedded sample" in " ".join(answer.stderr.split())
    assert mirror_lake.rows("select count(*) from core.articles") == [(37,)]


def test_one_cell_with_all_downstream_rerun_gives_identical_bytes(mirror_lake: MadeLake) -> None:
    before = mirror_lake.digests()
    cell = ("--batch", REAL_BATCH, "--license-group", "noncommercial")
    answer = mirror_lake.command(
        "run", *cell, *ONE_AT_ONCE, "--select", 'key:"raw/packages" or group:core or group:out or group:sql'
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert len(before) > 15
    assert mirror_lake.digests() == before
