"""Exports: readable in every form, resumable, whole or marked partial, and nothing written for bad input."""

import contextlib
import csv
import hashlib
import io
import json
import random
import shutil
import tarfile
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from generated_lake import write_cell

from pmc_assets.lake import CONTENTS, SAMPLE, Lake, Partition
from pmc_assets.subsets import papers, run
from pmc_assets.subsets.export import export_subset
from pmc_assets.subsets.spec import BadSubset, shipped_subsets, spec_of
from pmc_assets.warehouse.connection import NoWarehouse
from pmc_assets.warehouse.contract import BadContract, parse_contract
from pmc_assets.warehouse.guard import QueryError

WHERE = "year >= 2010 and is_default"


def expected(samples: list[dict]) -> list[dict]:
    return [s for s in samples if s["year"] is not None and s["year"] >= 2010 and s["is_default"]]


def image_of(sample: dict) -> bytes:
    return random.Random(sample["sample_key"]).randbytes(sample["size_bytes"])


def files_below(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def members(folder: Path) -> dict[str, dict[str, bytes]]:
    found: dict[str, dict[str, bytes]] = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                key, _, extension = member.name.partition(".")
                found.setdefault(key, {})[extension] = tar.extractfile(member).read()
    return found


def test_tars_hold_the_samples_and_nothing_else(made, tmp_path):
    url, samples = made
    done = export_subset(url, name="late", where=WHERE, to=str(tmp_path / "out"))
    wanted = {s["sample_key"]: s for s in expected(samples)}
    found = members(tmp_path / "out")
    assert set(found) == set(wanted) and done.samples == done.copied_samples == len(wanted)
    for key, sample in wanted.items():
        assert found[key]["jpg"] == image_of(sample)
        assert found[key]["txt"].decode() == sample["caption"]
        assert json.loads(found[key]["json"])["pmcid"] == sample["pmcid"]
    sizes = json.loads((tmp_path / "out" / "sizes.json").read_text())
    assert sum(sizes.values()) == len(wanted) and set(sizes) == {p.name for p in (tmp_path / "out").glob("*.tar")}


def test_tars_open_with_webdataset(made, tmp_path):
    import webdataset

    url, samples = made
    export_subset(url, name="late", where=WHERE, to=str(tmp_path / "out"))
    tars = [str(path) for path in sorted((tmp_path / "out").glob("*.tar"))]
    read = [sample["__key__"] for sample in webdataset.WebDataset(tars, shardshuffle=False)]
    assert sorted(read) == sorted(s["sample_key"] for s in expected(samples))


def test_parquet_reads_as_a_dataset_with_images(made, tmp_path):
    url, samples = made
    export_subset(url, name="late", where=WHERE, format="parquet", to=str(tmp_path / "out"))
    rows = {}
    for path in (tmp_path / "out").glob("*.parquet"):
        assert b"huggingface" in pq.read_schema(path).metadata
        rows |= {row["sample_key"]: row for row in pq.read_table(path).to_pylist()}
    assert set(rows) == {s["sample_key"] for s in expected(samples)}
    for sample in expected(samples):
        assert rows[sample["sample_key"]]["image"]["bytes"] == image_of(sample)
        assert rows[sample["sample_key"]]["license_group"] == sample["license_group"]


def test_json_lines_name_every_figure_and_its_image(made, tmp_path):
    url, samples = made
    export_subset(url, name="late", where=WHERE, format="jsonl", to=str(tmp_path / "out"))
    lines = [json.loads(line) for line in (tmp_path / "out" / "articles.jsonl").read_text().splitlines()]
    found = members(tmp_path / "out")
    refs = [figure["graphic_ref"] for line in lines for figure in line["figures"]]
    assert {ref.removeprefix("tar://").partition(".")[0] for ref in refs} == set(found)
    assert {line["pmc"] for line in lines} == {s["pmcid"] for s in expected(samples)}
    with tarfile.open(tmp_path / "out" / refs[0].partition("::")[2]) as tar:
        assert tar.getmember(refs[0].partition("::")[0].removeprefix("tar://"))


def test_csv_is_what_open_clip_reads(made, tmp_path):
    url, samples = made
    export_subset(url, name="late", where=WHERE, format="csv", to=str(tmp_path / "out"))
    with (tmp_path / "out" / "samples.csv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    by_key = {s["sample_key"]: s for s in expected(samples)}
    assert len(rows) == len(by_key)
    for row in rows:
        sample = by_key[Path(row["filepath"]).stem]
        assert (tmp_path / "out" / row["filepath"]).read_bytes() == image_of(sample)
        assert row["title"] == " ".join(sample["caption"].split())


def test_manifest_says_what_every_file_is(made, tmp_path):
    url, samples = made
    export_subset(url, name="late", where=WHERE, to=str(tmp_path / "out"))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    written = files_below(tmp_path / "out")
    assert set(manifest["files"]) == set(written) - {"manifest.json"}
    for path, entry in manifest["files"].items():
        assert entry["sha256"] == hashlib.sha256(written[path]).hexdigest()
        assert entry["size_bytes"] == len(written[path])
    assert WHERE in manifest["sql"] and manifest["samples"] == len(expected(samples))
    assert all(path.startswith("out/") for path in manifest["inputs"]) and manifest["inputs"]


def test_attribution_names_every_article(made, tmp_path):
    url, samples = made
    export_subset(url, name="late", where=WHERE, to=str(tmp_path / "out"))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "ATTRIBUTION.csv").read_text())))
    assert {row["pmcid"] for row in rows} == {s["pmcid"] for s in expected(samples)}
    by_pmcid = {s["pmcid"]: s for s in samples}
    for row in rows:
        assert row["title"] == by_pmcid[row["pmcid"]]["title"] and row["authors"] == "Ann Lee"
        assert row["license_code"] == (by_pmcid[row["pmcid"]]["license_code"] or "")
        assert row["article_url"].endswith(f"/{row['pmcid']}/")


def test_articles_without_attribution_are_not_exported_without_a_word(made, tmp_path):
    shutil.copytree(made[0], tmp_path / "lake")
    lake = Lake(str(tmp_path / "lake"))
    lake.delete(lake.find("out/attributions")[0])
    with pytest.raises(papers.MissingAttributions, match="run out/attributions"):
        export_subset(lake.url, name="all", where="true")


def test_card_names_every_tar_and_says_what_is_synthetic(made, tmp_path, many_units):
    import braceexpand

    shutil.copytree(made[0], tmp_path / "lake")
    lake = Lake(str(tmp_path / "lake"))
    for is_sample in (False, True):
        if is_sample:
            lake.fix_setting(CONTENTS, SAMPLE)
        out = tmp_path / f"out{is_sample}"
        export_subset(lake.url, name="late", where=WHERE, to=str(out))
        text = (out / "README.md").read_text()
        assert ("Synthetic" in text) == is_sample
        tars = text.partition('WebDataset("')[2].partition('"')[0]
        assert list(braceexpand.braceexpand(tars)) == sorted(path.name for path in out.glob("*.tar"))


@pytest.mark.parametrize("format", ["wds", "parquet", "jsonl", "csv"])
def test_rerun_on_an_unchanged_lake_touches_nothing(made, tmp_path, format):
    url, _ = made
    options = {"name": "late", "where": WHERE, "format": format, "to": str(tmp_path / "out")}
    first = export_subset(url, **options)
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*") if p.is_file()}
    again = export_subset(url, **options)
    assert again.copied_samples == again.copied_bytes == 0 and again.digest == first.digest
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*") if p.is_file()} == times


small_units = partial(run.units, most_samples=25)


@pytest.fixture
def many_units(monkeypatch):
    monkeypatch.setattr(run, "units", small_units)


class Stopped(Exception):
    pass


def test_stopped_export_is_marked_and_resumed(made, tmp_path, many_units):
    url, samples = made
    options = {"name": "late", "where": WHERE, "to": str(tmp_path / "out")}
    whole = export_subset(url, name="late", where=WHERE, to=str(tmp_path / "whole"))

    def stop(done: int, _: int) -> None:
        if done >= 75:
            raise Stopped

    with pytest.raises(Stopped):
        export_subset(url, **options, progress=stop)
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert len(list((tmp_path / "out").glob("*.tar"))) in (3, 4, 5)
    resumed = export_subset(url, **options)
    assert resumed.copied_samples == whole.samples - 75
    assert files_below(tmp_path / "out") == files_below(tmp_path / "whole")


@pytest.fixture(scope="module", params=["wds", "parquet", "jsonl", "csv"])
def undisturbed(made, tmp_path_factory, request):
    """A form, three conditions whose samples overlap, and for each the files of its export into an empty folder."""
    url, samples = made
    conditions = ("pmcid < 'PMC{}'", "pmcid >= 'PMC{}'", "year is not null and year % 2 = 0")
    middle = sorted(s["pmcid"] for s in samples)[len(samples) // 2].removeprefix("PMC")
    wheres = [condition.format(middle) for condition in conditions]
    folders = [tmp_path_factory.mktemp("whole") for _ in wheres]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "units", small_units)
        for where, folder in zip(wheres, folders, strict=True):
            export_subset(url, name="x", where=where, format=request.param, to=str(folder))
    return request.param, wheres, [files_below(folder) for folder in folders]


@pytest.mark.parametrize("notes", [False, True], ids=["killed", "stopped"])
def test_whichever_subset_follows_on_a_stopped_one_is_whole_and_alone(
    made, tmp_path, many_units, monkeypatch, undisturbed, notes
):
    format, wheres, whole = undisturbed
    is_dead = False
    write_partial = run.Export._write_partial

    def write_partial_if_alive(self: run.Export) -> None:
        if is_dead:
            raise Stopped
        write_partial(self)

    monkeypatch.setattr(run.Export, "_write_partial", write_partial_if_alive)

    def export(number: int, after: int | None = None) -> None:
        nonlocal is_dead
        is_dead = False

        def stop(done: int, _: int) -> None:
            nonlocal is_dead
            if after is not None and done >= after:
                is_dead = not notes
                raise Stopped

        with contextlib.nullcontext() if after is None else pytest.raises(Stopped):
            export_subset(
                made[0], name="x", where=wheres[number], format=format, to=str(tmp_path / "out"), progress=stop
            )

    export(0)
    for stopped, after, last in ((1, 50, 0), (1, 100, 2), (2, 25, 1), (0, 75, 1)):
        export(stopped, after)
        export(last)
        assert files_below(tmp_path / "out") == whole[last]


def test_lost_and_cut_files_are_written_again(made, tmp_path, many_units):
    url, _ = made
    options = {"name": "late", "where": WHERE, "to": str(tmp_path / "out")}
    export_subset(url, **options)
    before = files_below(tmp_path / "out")
    (tmp_path / "out" / "00001.tar").unlink()
    (tmp_path / "out" / "00002.tar").write_bytes(b"cut")
    (tmp_path / "out" / "ATTRIBUTION.csv").unlink()
    assert export_subset(url, **options).copied_samples == 50
    assert files_below(tmp_path / "out") == before
    (tmp_path / "out" / "00000.tar").unlink()
    export_subset(url, **options)
    assert files_below(tmp_path / "out") == before


@pytest.mark.parametrize("files", [{"": {"size_bytes": 1}}, {".": {"size_bytes": 1}}, ["README.md"]])
def test_manifest_of_somebody_else_deletes_nothing(made, tmp_path, files):
    (tmp_path / "kept").write_text("mine")
    (tmp_path / "manifest.json").write_text(json.dumps({"files": files, "units": {}}))
    before = files_below(tmp_path)
    with pytest.raises(run.BadSubset, match="no manifest of an export"):
        export_subset(made[0], name="late", where=WHERE, to=str(tmp_path))
    assert files_below(tmp_path) == before


def test_other_condition_in_the_same_place_leaves_no_old_file(made, tmp_path, many_units):
    url, _ = made
    export_subset(url, name="late", where=WHERE, to=str(tmp_path / "out"))
    export_subset(url, name="late", where="year = 2015", to=str(tmp_path / "out"))
    export_subset(url, name="late", where="year = 2015", to=str(tmp_path / "fresh"))
    assert files_below(tmp_path / "out") == files_below(tmp_path / "fresh")


def test_export_that_only_loses_units_is_marked_meanwhile(made, tmp_path, monkeypatch):
    options = {"name": "all", "where": "true", "format": "parquet", "to": str(tmp_path)}
    export_subset(made[0], **options)

    def stop(_: run.Export) -> None:
        raise Stopped

    monkeypatch.setattr(run.Export, "_delete_forgotten", stop)
    with pytest.raises(Stopped):
        export_subset(made[0], **options, license_group=("commercial",))
    assert not (tmp_path / "manifest.json").exists() and (tmp_path / "manifest.partial.json").exists()


def test_changed_lake_is_followed(made, tmp_path, many_units):
    url, samples = made
    changed = str(tmp_path / "lake")
    shutil.copytree(url, changed)
    export_subset(changed, name="all", where="true")
    first = samples[0]
    partition = {"license_group": first["license_group"], "batch": first["batch"]}
    rest = [s for s in samples if (s["license_group"], s["batch"]) == tuple(partition.values())][1:]
    names = set(rest[0]) - {"license_group", "batch"}
    write_cell(Lake(changed), Partition.of(**partition), [{n: s[n] for n in names} for s in rest])
    done = export_subset(changed, name="all", where="true")
    assert done.samples == len(samples) - 1 and 0 < done.copied_samples < done.samples


def test_dry_run_counts_and_writes_nothing(made, tmp_path):
    url, samples = made
    before = files_below(Path(url))
    done = export_subset(url, name="late", where=WHERE, to=str(tmp_path / "out"), dry_run=True)
    wanted = expected(samples)
    assert (done.samples, done.articles) == (len(wanted), len({s["pmcid"] for s in wanted}))
    assert done.size_bytes > sum(s["size_bytes"] for s in wanted) and not (tmp_path / "out").exists()
    assert files_below(Path(url)) == before


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"where": "nope = 1"}, QueryError),
        ({"where": "1 = (select 1 from read_text('/etc/passwd'))"}, QueryError),
        ({"where": "true", "balance": "nope:5"}, QueryError),
        ({"where": "true", "balance": "year"}, BadSubset),
        ({"where": "true", "balance": "year:²"}, BadSubset),
        ({"where": "true", "balance": "(select 1 from read_text('/etc/passwd')):3"}, QueryError),
        ({"where": "true", "format": "zip"}, BadSubset),
        ({"where": "true", "license_group": ("open",)}, BadSubset),
        ({"where": "true", "limit": 0}, BadSubset),
        ({"name": "../up", "where": "true"}, BadSubset),
        ({"name": "no_such_subset"}, BadSubset),
        ({"name": "commercial", "limit": 5}, BadSubset),
        ({"name": "commercial", "format": "tsv"}, BadSubset),
    ],
)
def test_bad_input_is_named_and_writes_nothing(made, tmp_path, options, error):
    url, _ = made
    before = files_below(Path(url))
    with pytest.raises(error):
        export_subset(url, **({"name": "bad", "to": str(tmp_path / "out")} | options))
    assert files_below(Path(url)) == before and not (tmp_path / "out").exists()


def test_empty_subset_is_an_export_of_nothing(made, tmp_path):
    done = export_subset(made[0], name="none", where="false", to=str(tmp_path / "out"))
    assert done.samples == 0 and (tmp_path / "out" / "manifest.json").exists()


SHIPPED = {
    "commercial",
    "histopathology",
    "radiology",
    "single_panel",
    "concept_filtered",
    "concept_balanced",
    "no_derivatives_excluded",
    "with_mentions",
}


def test_shipped_subsets_are_those_of_the_catalogue():
    assert set(shipped_subsets()) == SHIPPED


def is_sure(sample):
    return bool(sample["primary_label"]) and sample["label_confidence"] >= 0.6


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_shipped_subset_exports_what_its_header_says(made, tmp_path, name):
    url, samples = made
    export_subset(url, name=name, to=str(tmp_path / "out"))
    kept = set(members(tmp_path / "out"))
    rules = {
        "commercial": lambda s: s["license_group"] == "commercial",
        "histopathology": lambda s: is_sure(s) and "histology" in s["secondary_label"],
        "radiology": lambda s: is_sure(s) and "ultrasound" in s["secondary_label"],
        "single_panel": lambda s: s["panel_type"] == "single",
        "concept_filtered": lambda s: (
            is_sure(s) and not {"Plots and Charts", "Illustrative Diagrams"} & set(s["primary_label"])
        ),
        "concept_balanced": is_sure,
        "no_derivatives_excluded": lambda s: s["license_code"] and "-ND" not in s["license_code"],
        "with_mentions": lambda s: s["mentions"],
    }
    wanted = [s for s in samples if s["is_default"] and s["license_group"] != "other" and rules[name](s)]
    assert kept == {s["sample_key"] for s in wanted} and kept


@pytest.mark.parametrize(
    ("entry", "said"),
    [("colour: red", "colour"), ("limit: many", "'many'"), ("limit: 0", "keeps nothing"), ("seed: 1.5", "'1.5'"),
     ("formats: zip", "zip"), ("license_groups: open", "open"), ("balance: year", "year"), ("balance: ):5", "expression")],
)  # fmt: skip
def test_header_that_no_subset_can_have_is_named_with_its_file(entry, said):
    with pytest.raises(BadContract, match=rf"^subsets\.x: .*{said}"):
        spec_of(parse_contract("subsets.x", f"-- Some.\n-- {entry}\nselect sample_key from out.samples"))


FOREIGN = {
    "README.md": "precious", "00000.tar": "precious", "manifest.json": '{"name": "an extension"}',
    "manifest.partial.json": '{"files": {"../lake.json": {}}, "units": {}}',
}  # fmt: skip


@pytest.mark.parametrize("path", FOREIGN)
def test_target_with_files_of_somebody_else_is_refused_untouched(made, tmp_path, path):
    (tmp_path / path).write_text(FOREIGN[path])
    with pytest.raises(BadSubset, match=path):
        export_subset(made[0], name="late", where=WHERE, to=str(tmp_path))
    assert files_below(tmp_path) == {path: FOREIGN[path].encode()}


@pytest.mark.parametrize("other", [{"name": "other"}, {"format": "jsonl"}])
@pytest.mark.parametrize("is_stopped", [False, True])
def test_target_with_another_subset_or_form_is_refused_untouched(made, tmp_path, many_units, other, is_stopped):
    def stop(done: int, _: int) -> None:
        if is_stopped:
            raise Stopped

    options = {"name": "late", "where": WHERE, "to": str(tmp_path)}
    with contextlib.suppress(Stopped):
        export_subset(made[0], **options, progress=stop)
    held = files_below(tmp_path)
    assert any(path.endswith(".tar") for path in held)
    with pytest.raises(BadSubset, match="holds the subset late as wds"):
        export_subset(made[0], **(options | other))
    assert files_below(tmp_path) == held


def test_shipped_subset_keeps_its_name_and_its_seed(made):
    for other in ({"where": "true"}, {"seed": 3}, {"limit": 3}):
        with pytest.raises(BadSubset, match="shipped subset"):
            export_subset(made[0], name="radiology", dry_run=True, **other)


def test_lake_that_is_not_there_is_said_and_not_made(tmp_path):
    with pytest.raises(NoWarehouse, match="pmc-assets run"):
        export_subset(str(tmp_path / "typo"), name="radiology", dry_run=True)
    assert not list(tmp_path.iterdir())


def test_attribution_holds_no_formula():
    rows = [papers.no_formula(value) for value in ("=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", "a=1", "", None, 3)]
    assert rows == ["'=HYPERLINK(1)", "'+1", "'-1", "'@x", "'\t=1", "a=1", "", None, 3]
