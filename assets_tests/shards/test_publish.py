"""Publishing: nothing moves twice, what is gone disappears, licences stay apart; on disk, on S3, on a hub."""

import hashlib
import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from shards_lake import ARTICLES, SmallLake, load_raw, write_articles

from pmc_assets.lake import CONTENTS, SAMPLE, Lake, Partition
from pmc_assets.rejects import Reject, rejects_table
from pmc_assets.shards.card import render_card
from pmc_assets.shards.check import foreign_licenses
from pmc_assets.shards.jsonl import write_jsonl
from pmc_assets.shards.manifest import parse_manifest
from pmc_assets.shards.parquet import write_parquet
from pmc_assets.shards.publish import NothingToPublish, UnknownGroup, publish
from pmc_assets.shards.samples import make_samples
from pmc_assets.shards.targets import FsspecTarget, HubTarget
from pmc_assets.shards.write import write_shards
from pmc_assets.warehouse.contract import find_contract
from pmc_assets.warehouse.stage import derive_partition


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_dry_run_lists_and_moves_nothing(full_lake: SmallLake, tmp_path: Path) -> None:
    result = publish(full_lake.lake, f"file://{tmp_path}/target", dry_run=True)
    assert "README.md" in result.uploads and result.upload_bytes > 100_000
    assert not (tmp_path / "target").exists()


def test_second_publication_moves_nothing(full_lake: SmallLake, tmp_path: Path) -> None:
    moved: list[str] = []
    first = publish(full_lake.lake, f"file://{tmp_path}/target", done=lambda path, size: moved.append(path))
    before = files_below(tmp_path / "target")
    assert sorted(moved) == sorted(first.uploads) == sorted(set(before) - {"manifest.json"})
    second = publish(full_lake.lake, f"file://{tmp_path}/target")
    assert (second.uploads, second.deletes, second.upload_bytes) == ([], [], 0)
    assert files_below(tmp_path / "target") == before


def test_manifest_states_every_file(full_lake: SmallLake, tmp_path: Path) -> None:

    publish(full_lake.lake, f"file://{tmp_path}/target")
    files = files_below(tmp_path / "target")
    manifest = parse_manifest(files.pop("manifest.json"))
    assert {path: (f.size_bytes, f.sha256) for path, f in manifest.items()} == {
        path: (len(content), hashlib.sha256(content).hexdigest()) for path, content in files.items()
    }


def test_group_other_only_when_named(full_lake: SmallLake, tmp_path: Path) -> None:
    target = f"file://{tmp_path}/target"
    assert not [p for p in publish(full_lake.lake, target).uploads if "license_group=other" in p]
    named = publish(full_lake.lake, target, ["commercial", "other"])
    assert [p for p in named.uploads if "license_group=other" in p]
    assert all("license_group=noncommercial" in p for p in named.deletes) and named.deletes
    with pytest.raises(UnknownGroup):
        publish(full_lake.lake, target, ["anything"])


def test_relicensed_and_removed_articles_disappear(full_lake: SmallLake, tmp_path: Path) -> None:
    lake, target = full_lake.lake, f"file://{tmp_path}/target"
    publish(lake, target)
    kept = [article for article in ARTICLES if article.pmcid not in ("PMC10012", "PMC10001")]
    for partition in full_lake.partitions:
        for table in ("core.images", "core.articles", "core.figures", "raw.filelists"):
            lake.delete(lake.table_path(table, partition))
    write_articles(lake, kept)
    for partition in full_lake.partitions:
        make_samples(lake, partition)
        for write in (write_shards, write_parquet, write_jsonl):
            write(lake, partition)
        derive_partition(lake, find_contract("out.attributions"), partition)
    result = publish(lake, target)
    for form in ("shards", "attributions"):
        assert [p for p in result.deletes if p.startswith(f"{form}/license_group=noncommercial")]
    for path, content in files_below(tmp_path / "target").items():
        assert b"PMC10012" not in content and b"PMC10001_" not in content, path
        assert "noncommercial" not in path


def test_an_interrupted_publication_goes_on(full_lake: SmallLake, tmp_path: Path) -> None:
    target = f"file://{tmp_path}/target"

    class Interrupted(Exception):
        pass

    def stop_at_third(path: str, size: int, seen: list[str] = []) -> None:  # noqa: B006
        seen.append(path)
        if len(seen) == 3:
            raise Interrupted

    with pytest.raises(Interrupted):
        publish(full_lake.lake, target, done=stop_at_third)
    pending = parse_manifest((tmp_path / "target" / "manifest.json").read_bytes())
    assert {facts.sha256 for facts in pending.values()} == {""}
    publish(full_lake.lake, target)
    manifest = parse_manifest((tmp_path / "target" / "manifest.json").read_bytes())
    assert set(manifest) == set(files_below(tmp_path / "target")) - {"manifest.json"}
    assert all(facts.sha256 for facts in manifest.values())


def test_a_stop_in_the_middle_of_a_file_leaves_nothing_behind(
    full_lake: SmallLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = tmp_path / "target", f"file://{tmp_path}/target"
    publish(full_lake.lake, url)
    before = (folder / "manifest.json").read_bytes()
    [gone] = folder.glob("jsonl/license_group=noncommercial/**/*.jsonl")
    gone.with_name(f"{gone.name}.uploading").write_text("half")
    target = FsspecTarget(url)

    def stop_halfway(path: str, content: bytes) -> None:
        Path(path).write_bytes(content[:40])
        raise InterruptedError

    monkeypatch.setattr(target.fs, "pipe_file", stop_halfway)
    with pytest.raises(InterruptedError):
        publish(full_lake.lake, url, ["commercial"], target=target)
    assert (folder / "manifest.json").read_bytes() == before
    monkeypatch.undo()
    publish(full_lake.lake, url, ["commercial"])
    assert not [path for path in files_below(folder) if "noncommercial" in path or "uploading" in path]


def test_a_damaged_target_is_repaired(full_lake: SmallLake, tmp_path: Path) -> None:
    target = f"file://{tmp_path}/target"
    publish(full_lake.lake, target)
    before = files_below(tmp_path / "target")
    lost = next(path for path in before if path.endswith(".tar"))
    (tmp_path / "target" / lost).unlink()
    (tmp_path / "target" / "README.md").write_text("cut")
    assert sorted(publish(full_lake.lake, target).uploads) == sorted([lost, "README.md"])
    assert files_below(tmp_path / "target") == before


def test_files_of_others_stay(full_lake: SmallLake, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "notes.txt").write_text("mine")
    publish(full_lake.lake, f"file://{tmp_path}/target")
    publish(full_lake.lake, f"file://{tmp_path}/target", ["commercial"])
    assert (tmp_path / "target" / "notes.txt").read_text() == "mine"


def test_an_empty_lake_does_not_empty_the_target(full_lake: SmallLake, tmp_path: Path) -> None:
    publish(full_lake.lake, f"file://{tmp_path}/target")
    before = files_below(tmp_path / "target")
    with pytest.raises(NothingToPublish):
        publish(Lake(str(tmp_path / "nowhere")), f"file://{tmp_path}/target")
    assert files_below(tmp_path / "target") == before


def test_card_speaks_of_the_published_groups(full_lake: SmallLake) -> None:
    text = render_card(full_lake.lake, ["commercial"])["README.md"].decode()
    front = yaml.safe_load(text.split("---\n")[1])
    assert [config["config_name"] for config in front["configs"]] == [
        "samples-commercial", "parquet-commercial", "attributions-commercial",
    ]  # fmt: skip
    assert "not endorsed by NLM" in text and "CC BY-NC" not in text
    assert "| samples | caption_empty | 1 |" in text
    assert "9 samples of 4 articles" in text


def test_card_counts_the_rejects_of_its_groups_and_of_none(full_lake: SmallLake) -> None:
    lake, rejects = full_lake.lake, rejects_table([Reject("shards", "image_unreadable", "PMC1")])
    for group in ("commercial", "other"):
        lake.write_rejects("shards", rejects, Partition.of(license_group=group, batch="PMC00009xxxx"))
    early = rejects_table([Reject("article_versions", "metadata_missing")])
    lake.write_rejects("article_versions", early, Partition.of(batch="PMC00009xxxx"))
    text = render_card(lake, ["commercial"])["README.md"].decode()
    assert "| shards | image_unreadable | 1 |" in text and "| article_versions | metadata_missing | 1 |" in text


def test_the_card_of_the_embedded_sample_says_that_it_is_synthetic(full_lake: SmallLake) -> None:
    assert b"Synthetic" not in render_card(full_lake.lake)["README.md"]
    full_lake.lake.fix_setting(CONTENTS, SAMPLE)
    assert b"**Synthetic:** every article" in render_card(full_lake.lake)["README.md"]


def test_the_card_tells_how_to_load_one_split(full_lake: SmallLake, tmp_path: Path) -> None:
    import datasets

    publish(full_lake.lake, f"file://{tmp_path}/target", forms=["samples"])
    text = (tmp_path / "target" / "README.md").read_text()
    line = next(line for line in text.splitlines() if line.startswith("datasets.load_dataset("))
    line = line.replace("<owner>/<name>", f"{tmp_path}/target").replace("<group>", "commercial")
    for split, rows in {"validation": 0, "train": 9}.items():
        streamed = line.replace('"validation"', f'"{split}"').replace(")]", ")], streaming=True")
        assert len(list(eval(streamed, {"datasets": datasets}))) == rows


def test_card_is_valid_croissant(full_lake: SmallLake, tmp_path: Path) -> None:
    croissant = pytest.importorskip("mlcroissant")
    # Its absl logs to what pytest captures now, and would close that as soon as Dagster sets up its own logging.
    importlib.import_module("absl.logging").get_absl_handler().python_handler.stream = sys.__stderr__
    path = tmp_path / "croissant.json"
    path.write_bytes(render_card(full_lake.lake)["croissant.json"])
    issues = croissant.Dataset(jsonld=path).metadata.issues
    assert (issues.errors, issues.warnings) == (set(), set())


def test_equal_lakes_give_equal_cards(full_lake: SmallLake, drawn_plots: dict[str, dict[str, bytes]]) -> None:
    first = render_card(full_lake.lake)
    drawn_plots.clear()
    second = render_card(full_lake.lake)
    assert first == second
    assert all(content.startswith(b"\x89PNG") for name, content in first.items() if name.endswith(".png"))


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of a real S3 protocol server on loopback."""
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir(f"bucket-{port}")
    yield f"s3://bucket-{port}"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_publish_to_s3_and_stream_from_it(full_lake: SmallLake, bucket: str) -> None:
    bucket += "/pmc"
    first = publish(full_lake.lake, bucket)
    assert publish(full_lake.lake, bucket).upload_bytes == 0
    target = FsspecTarget(bucket)
    assert target.present().keys() == {*first.uploads, "manifest.json"}
    for workers in (0, 2):
        loader = load_raw(bucket, where="is_default", batch_size=2, num_workers=workers)
        local = load_raw(full_lake.lake.full_path("out"), where="is_default and license_group <> 'other'",
                            batch_size=2)  # fmt: skip
        read = {s["__key__"]: s for batch in loader for s in batch}
        assert read == {s["__key__"]: s for batch in local for s in batch}
    narrowed = publish(full_lake.lake, bucket, ["noncommercial"])
    assert not [path for path in target.present() if "license_group=commercial" in path]
    assert narrowed.deletes


def test_a_lake_on_s3_gives_the_same_shards(small_lake: SmallLake, bucket: str) -> None:
    remote = Lake(f"{bucket}/lake")
    [partition, *_] = write_articles(remote, ARTICLES)
    make_samples(remote, partition)
    for lake in (remote, small_lake.lake):
        write_shards(lake, partition)
        write_parquet(lake, partition)
        write_jsonl(lake, partition)
    for path in small_lake.lake.find("out/shards/license_group=commercial", ".tar"):
        assert remote.read_bytes(path) == small_lake.lake.read_bytes(path)
    assert remote.find("out/jsonl") == small_lake.lake.find("out/jsonl")
    assert not foreign_licenses(remote, partition)


@dataclass
class LocalHub:
    """A stand-in for HfApi that keeps one repository's files in memory and counts commits."""

    cache: Path
    files: dict[str, bytes] | None = None
    commits: list[int] = field(default_factory=list)

    def repo_exists(self, repo_id: str, repo_type: str) -> bool:
        return self.files is not None

    def create_repo(self, repo_id: str, repo_type: str, exist_ok: bool) -> None:
        self.files = self.files or {}

    def list_repo_tree(self, repo_id: str, recursive: bool, repo_type: str) -> list:
        from huggingface_hub.hf_api import RepoFile

        return [RepoFile(path=path, size=len(content), oid="0") for path, content in (self.files or {}).items()]

    def hf_hub_download(self, repo_id: str, filename: str, repo_type: str) -> str:
        assert self.files is not None
        self.cache.mkdir(exist_ok=True)
        (self.cache / filename).write_bytes(self.files[filename])
        return str(self.cache / filename)

    def create_commit(self, repo_id: str, operations: list, commit_message: str, repo_type: str) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        assert self.files is not None
        for operation in operations:
            if isinstance(operation, CommitOperationAdd):
                with operation.as_file() as content:
                    self.files[operation.path_in_repo] = content.read()
            elif isinstance(operation, CommitOperationDelete):
                del self.files[operation.path_in_repo]
        self.commits.append(len(operations))


def test_publish_to_the_hub(full_lake: SmallLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pmc_assets.shards.targets.FILES_PER_COMMIT", 4)
    hub = LocalHub(tmp_path / "hub")
    target = HubTarget("owner/pmc", hub)  # type: ignore[arg-type]
    first = publish(full_lake.lake, "hf://datasets/owner/pmc", target=target)
    assert hub.files is not None and set(hub.files) == {*first.uploads, "manifest.json"}
    assert max(hub.commits) <= 5
    commits = len(hub.commits)
    assert publish(full_lake.lake, "hf://datasets/owner/pmc", target=target).upload_bytes == 0
    assert len(hub.commits) == commits
    del hub.files[next(path for path in hub.files if "shards/license_group=commercial" in path)]
    publish(full_lake.lake, "hf://datasets/owner/pmc", ["noncommercial"], target=target)
    assert not [path for path in hub.files if "license_group=commercial" in path]
    assert set(json.loads(hub.files["manifest.json"])["files"]) == set(hub.files) - {"manifest.json"}
