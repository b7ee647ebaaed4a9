import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from made_lake import REPOSITORY

from pmc_assets.cli.instance import open_instance

AT_ONCE = 4


def test_first_commands_of_a_home_may_start_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(REPOSITORY / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        instances = [opened.result() for opened in [pool.submit(open_instance) for _ in range(AT_ONCE)]]
    assert [instance.get_runs_count() for instance in instances] == [0] * AT_ONCE
