"""core/pubmed_records as Dagster runs it: checks, secrets, and one rate for two processes."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from fault_server import SECRET_EMAIL, SECRET_KEY, Eutils
from forking import start

from pmc_assets import schema
from pmc_assets.assets.partitions import batches, cell_key
from pmc_assets.assets.pubmed_records import KEY, pubmed_records
from pmc_assets.lake import Lake, Partition
from pmc_assets.licenses import LICENSE_GROUPS
from pmc_assets.resources.efetch import POOL, EFetchResource
from pmc_assets.resources.lake import LakeResource

REPOSITORY = Path(__file__).parent.parent.parent
BATCH = "PMC00001xxxx"
COMMERCIAL = Partition.of(license_group="commercial", batch=BATCH)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        instance.add_dynamic_partitions(batches.name or "", [BATCH])
        yield instance


@pytest.fixture
def kept_instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with databases, which other processes open too."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.add_dynamic_partitions(batches.name or "", [BATCH])
        yield instance


def list_articles(root: Path, pmids: list[int], license_group: str = "commercial") -> None:
    rows = [{"pmcid": f"PMC{10001 + index}", "version": 1, "pmid": pmid} for index, pmid in enumerate(pmids)]
    partition = Partition.of(license_group=license_group, batch=BATCH)
    Lake(str(root)).write_table(schema.RAW_FILELISTS, schema.RAW_FILELISTS.from_rows(rows), partition)


def run(
    instance: dg.DagsterInstance, lake: Path, efetch: EFetchResource, license_group: str = "commercial"
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [pubmed_records],
        instance=instance,
        partition_key=cell_key(BATCH, license_group),
        resources={"lake": LakeResource(url=str(lake)), "efetch": efetch},
    )


def checks(outcome: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str]]:
    evaluations = outcome.get_asset_check_evaluations()
    return {e.check_name: (e.passed, e.severity.value) for e in evaluations}


def test_a_cell_is_materialised_with_counts_and_passing_checks(
    instance: dg.DagsterInstance, tmp_path: Path, eutils: Eutils
) -> None:
    eutils.add(1, 2)
    list_articles(tmp_path / "lake", [1, 2, 3])
    outcome = run(instance, tmp_path / "lake", EFetchResource(base_url=eutils.url, requests_per_second=1000))
    assert all(passed for passed, _ in checks(outcome).values())
    assert len(checks(outcome)) == 4
    (event,) = outcome.asset_materializations_for_node(pubmed_records.op.name)
    values = {name: value.value for name, value in event.metadata.items()}
    assert (values["listed"], values["stored"], values["reject/record_missing"]) == (3, 2, 1)
    assert values["efetch_requests"] == 1
    assert len(Lake(str(tmp_path / "lake")).read_table(schema.CORE_PUBMED_RECORDS, COMMERCIAL)) == 2


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9/"])
def test_without_efetch_the_run_succeeds_and_a_check_warns(
    url: str, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    list_articles(tmp_path / "lake", [1, 2])
    outcome = run(instance, tmp_path / "lake", EFetchResource(base_url=url, retry_budget_s=0.5))
    assert outcome.success
    assert checks(outcome)["efetch_answered"] == (False, "WARN")
    assert checks(outcome)["listed_is_stored_plus_rejected"][0]
    (event,) = outcome.asset_materializations_for_node(pubmed_records.op.name)
    assert "PMC_EFETCH_URL" in str(event.metadata["efetch_problem"].value)
    assert event.metadata["reject/record_not_fetched"].value == 2


def test_secrets_stay_out_of_instance_lake_and_output(
    kept_instance: dg.DagsterInstance,
    tmp_path: Path,
    eutils: Eutils,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NCBI_API_KEY", SECRET_KEY)
    monkeypatch.setenv("NCBI_EMAIL", SECRET_EMAIL)
    eutils.add(1)
    list_articles(tmp_path / "lake", [1, 2])
    efetch = EFetchResource(
        base_url=eutils.url,
        api_key=dg.EnvVar("NCBI_API_KEY"),
        email=dg.EnvVar("NCBI_EMAIL"),
        refresh_after_days=0,
        requests_per_second=100,
        retry_budget_s=2,
    )
    for faults in (["429", "no summary", "bad key in words"], ["bad key"]):
        eutils.faults.extend(faults)
        assert run(kept_instance, tmp_path / "lake", efetch).success
    assert eutils.asked[0].form["api_key"] == SECRET_KEY
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    printed = "".join(capfd.readouterr())
    assert any(path.suffix == ".db" for path in kept)
    assert "bad key" not in printed and "efetch_answered" in printed + str([p.read_bytes() for p in kept])
    for secret in (SECRET_KEY, SECRET_EMAIL):
        assert [path for path in kept if secret.encode() in path.read_bytes()] == []
        assert secret not in printed


def test_one_step_at_a_time_asks_efetch() -> None:
    assert pubmed_records.op.pool == POOL == "entrez"
    pools = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())["concurrency"]["pools"]
    assert pools == {"granularity": "op", "default_limit": 1}


def test_the_rate_is_ncbis_with_and_without_key(tmp_path: Path) -> None:
    assert EFetchResource().client(tmp_path).gate.gap_s > 1 / 3
    assert 1 / 10 < EFetchResource(api_key=SECRET_KEY).client(tmp_path).gate.gap_s < 1 / 3


def _run_at(go: Path, home: Path, lake: Path, url: str, license_group: str) -> None:
    """Materialise one cell on the instance of `home` as soon as `go` is there."""
    efetch = EFetchResource(base_url=url)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        go.with_suffix(f".{license_group}").touch()
        while not go.exists():
            time.sleep(0.01)
        run(instance, lake, efetch, license_group)


def test_two_partitions_at_once_never_exceed_the_rate(
    kept_instance: dg.DagsterInstance, tmp_path: Path, eutils: Eutils
) -> None:
    """No pool limit here: the shared token alone has to hold two processes to the rate."""
    per_second = 3
    groups = LICENSE_GROUPS[:2]
    pmids = {group: [100_000 * turn + n for n in range(1, 200 * per_second)] for turn, group in enumerate(groups)}
    for group in groups:
        eutils.add(*pmids[group])
        list_articles(tmp_path / "lake", pmids[group], group)
    go = tmp_path / "go"
    processes = [start(_run_at, go, tmp_path / "home", tmp_path / "lake", eutils.url, group) for group in groups]
    while not all(go.with_suffix(f".{group}").exists() for group in groups):
        assert all(process.is_alive() for process in processes)
        time.sleep(0.01)
    go.touch()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]

    times = [asked.at for asked in eutils.asked]
    assert len(times) == 2 * per_second
    assert times == sorted(times)
    assert most_in_a_second(times) <= per_second
    turns = [asked.pmids[0] // 100_000 for asked in eutils.asked]
    assert turns not in ([0] * per_second + [1] * per_second, [1] * per_second + [0] * per_second)
    for group in groups:
        partition = Partition.of(license_group=group, batch=BATCH)
        rows = Lake(str(tmp_path / "lake")).read_table(schema.CORE_PUBMED_RECORDS, partition)
        assert rows["pmid"].to_pylist() == pmids[group]


def most_in_a_second(times: list[float]) -> int:
    return max(sum(start <= at < start + 1.0 for at in times) for start in times)


def test_the_asset_says_what_it_is() -> None:
    spec = pubmed_records.specs_by_key[KEY]
    assert "PubMed" in (spec.description or "")
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {"raw/filelists", "core/articles"}
