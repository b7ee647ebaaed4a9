"""The embedded sample: a bucket that is complete, deterministic and full of the traits that real articles have."""

import gzip
import hashlib
import json
from pathlib import Path
from urllib.parse import unquote

import fsspec
import pyarrow.parquet as pq
import pytest
from lxml import etree

from pmc_assets.batches import batch_of
from pmc_assets.jats.article import read_article
from pmc_assets.sample import generation
from pmc_assets.sample.bucket import NotASample, write_sample
from pmc_assets.sample.deposit import make_deposit
from pmc_assets.sample.plan import plan_article
from pmc_assets.sample.traits import DEPOSIT_TRAITS

ARTICLES = 100


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "bucket"
    write_sample(str(folder), ARTICLES, seed=3)
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.parent.rglob("*") if path.is_file() and path.suffix != ".json")
    return {str(path.relative_to(folder.parent)): hashlib.md5(path.read_bytes()).hexdigest() for path in files}


def inventory_rows(folder: Path) -> list[list[str]]:
    manifest = json.loads(next(folder.glob("inventory-reports/*/metadata/*/manifest.json")).read_text())
    lines = []
    for file in manifest["files"]:
        data = (folder / file["key"]).read_bytes()
        assert hashlib.md5(data).hexdigest() == file["MD5checksum"] and len(data) == file["size"]
        lines += gzip.decompress(data).decode().splitlines()
    return [line.strip('"').split('","') for line in lines]


def test_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_sample(str(tmp_path / name / "bucket"), 8, seed=seed)
    first, second, other = (digests(tmp_path / name / "bucket") for name in "abc")
    assert first == second
    assert set(first.values()).isdisjoint(v for k, v in other.items() if k.endswith((".jpg", ".png", ".xml")))


def test_article_cut_within_a_character_is_written() -> None:
    [plan] = plan_article(5, 327, "PMC1")
    deposit = make_deposit(plan)
    with pytest.raises(UnicodeDecodeError):
        deposit.objects["PMC1.1/PMC1.1.xml"].decode()
    assert deposit.objects["PMC1.1/PMC1.1.txt"].decode()


def test_inventory_lists_every_metadata_object_by_its_md5(bucket: Path) -> None:
    listed = {key: etag for _, key, _, etag in inventory_rows(bucket)}
    for path in (bucket / "metadata").iterdir():
        assert listed[f"metadata/{path.name}"] == hashlib.md5(path.read_bytes()).hexdigest()


def test_promised_md5s_hold_but_for_the_faults(bucket: Path) -> None:
    wrong, missing = [], []
    for path in (bucket / "metadata").iterdir():
        try:
            metadata = json.loads(path.read_text())
        except json.JSONDecodeError:
            continue
        for url in [metadata["xml_url"], metadata["text_url"], *metadata.get("media_urls", [])]:
            key, md5 = url.removeprefix("s3://pmc-oa-opendata/").rsplit("?md5=", 1)
            if not (bucket / key).exists():
                missing.append(key)
            elif hashlib.md5((bucket / key).read_bytes()).hexdigest() != md5:
                wrong.append(key)
    assert len(wrong) == 1 and len(missing) == 2


def test_xml_is_well_formed_but_for_the_truncated_one(bucket: Path) -> None:
    broken = []
    for path in bucket.glob("PMC*/*.xml"):
        try:
            etree.parse(path)
        except etree.XMLSyntaxError:
            broken.append(path.name)
    assert len(broken) == 1


def test_articles_spread_over_three_batches(bucket: Path) -> None:
    assert len({batch_of(path.name.split(".")[0]) for path in bucket.glob("PMC*")}) == 3


def test_truth_names_files_that_are_there_and_every_fault_shows(bucket: Path) -> None:
    truth = pq.read_table(f"{bucket}.truth.parquet").to_pylist()
    absent = [r for r in truth if not (bucket / f"{r['pmcid']}.{r['version']}" / r["image_name"]).exists()]
    assert [r["fault"] for r in absent] == ["missing"]
    assert {r["fault"] for r in truth} == {"", "missing", "placeholder", "truncated", "wrong_md5", "bomb"}
    without_images = {"media_kept_out", "not_open_access", "historical_ocr"}
    assert {r["deposit_trait"] for r in truth} >= set(DEPOSIT_TRAITS) - without_images
    assert len({r["image_class"] for r in truth}) >= 18


def test_truth_counts_figures_and_graphics_as_the_parser_does(bucket: Path) -> None:
    for row in pq.read_table(f"{bucket}.truth.parquet").to_pylist():
        if row["deposit_trait"] in ("truncated_xml", "xml_missing", "unresolved_graphic"):
            continue
        name = f"{row['pmcid']}.{row['version']}"
        figure = read_article((bucket / name / f"{name}.xml").read_bytes()).figures[row["figure_index"]]
        refs = [unquote(g["graphic_ref"]) for g in figure["graphics"] if g["graphic_index"] == row["graphic_index"]]
        assert figure["kind"] == row["kind"]
        assert row["image_name"].rsplit(".", 1)[0] in {ref.removesuffix(Path(ref).suffix) for ref in refs} | set(refs)


def test_complete_sample_is_left_alone_and_a_torn_one_replaced(tmp_path: Path) -> None:
    url = str(tmp_path / "bucket")
    first = write_sample(url, 5)
    assert first.is_new and not write_sample(url, 5).is_new
    before = digests(tmp_path / "bucket")
    state = tmp_path / "bucket.sample.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | {"written": None}))
    (tmp_path / "bucket" / "left-over").write_text("torn")
    assert write_sample(url, 5).is_new
    assert digests(tmp_path / "bucket") == before


def test_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(NotASample):
        write_sample(str(tmp_path), 3)
    assert (tmp_path / "mine.txt").exists()


def test_worker_processes_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "ARTICLES_PER_TASK", 4)
    write_sample(str(tmp_path / "one" / "bucket"), 9, seed=9)
    write_sample(str(tmp_path / "two" / "bucket"), 9, seed=9, workers=2)
    assert digests(tmp_path / "one" / "bucket") == digests(tmp_path / "two" / "bucket")


def test_object_storage_takes_the_same_bytes(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    write_sample("memory://sample/bucket", 3)
    assert not write_sample("memory://sample/bucket", 3).is_new
    write_sample(str(tmp_path / "bucket"), 3)
    local = {f"/sample/{path}": digest for path, digest in digests(tmp_path / "bucket").items()}
    stored = {path for path in memory.find("/sample") if not path.endswith(".json")}
    assert {path: hashlib.md5(memory.cat_file(path)).hexdigest() for path in stored} == local
