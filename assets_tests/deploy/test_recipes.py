"""What the recipes of `deploy/` hand on, and how they end."""

import importlib.util
import re
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"


def launcher(file: str, *places: str) -> dict:
    found = yaml.safe_load((DEPLOY / file).read_text())
    for place in places:
        found = found[place]
    return found["config"]["ray"]


@pytest.mark.parametrize(
    "ray",
    [
        launcher("dagster-ray.yaml", "run_launcher"),
        launcher("kubernetes/dagster-values.yaml", "runLauncher", "config", "customRunLauncher"),
    ],
)
def test_every_setting_of_the_readme_reaches_the_runs(ray):
    rows = re.findall(r"^\| (`[A-Z].*?`) \|", (REPOSITORY / "README.md").read_text(), re.MULTILINE)
    settings = {name for row in rows for name in re.findall(r"\b(?:PMC|NCBI)_(?!SAMPLE)\w+", row)}
    assert len(settings) > 10 and settings <= set(ray["env_vars"])


@pytest.mark.parametrize(
    ("status", "made", "code"),
    [
        (BulkActionStatus.COMPLETED_SUCCESS, ["a", "b"], 0),
        (BulkActionStatus.COMPLETED_FAILED, ["a"], 1),
        (BulkActionStatus.FAILED, [], 1),
    ],
)
def test_backfill_is_whole_or_the_job_fails(monkeypatch, status, made, code):
    from dagster._core.test_utils import create_run_for_test

    spec = importlib.util.spec_from_file_location("wait_for_backfill", DEPLOY / "slurm" / "wait_for_backfill.py")
    assert spec and spec.loader
    waiting = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(waiting)
    with dg.DagsterInstance.ephemeral() as instance:
        backfill = PartitionBackfill("one", status, False, {"slurm": "7"}, 0.0, partition_names=["a", "b"])
        monkeypatch.setattr(instance, "get_backfills", lambda **_: [backfill])
        for name in made:
            tags = {"dagster/backfill": "one", "dagster/partition": name}
            create_run_for_test(instance, tags=tags, status=dg.DagsterRunStatus.SUCCESS)
        monkeypatch.setattr(dg.DagsterInstance, "get", lambda: instance)
        monkeypatch.setattr(sys, "argv", ["wait_for_backfill.py", "slurm=7"])
        assert waiting.main() == code
