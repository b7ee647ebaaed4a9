"""The project's shape: definitions load fast and say what they are, modules keep to their side, the README holds."""

import ast
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from pmc_assets import schema
from pmc_assets.rejects import REASONS

REPOSITORY = Path(__file__).parent.parent
PACKAGE = REPOSITORY / "pmc_assets"
SNAPSHOT = Path(__file__).with_name("asset_keys.json")
LOAD_TIMES_DAGSTER = 3.0
"""What the definitions may take, in multiples of Dagster's own import: under 3 s where that takes one."""
BESIDE_ANOTHER = {"models.cluster_members"}
"""Tables that the asset of another one writes."""
HEAVY = {
    "torch",
    "sklearn",
    "transformers",
    "datasets",
    "matplotlib",
    "webdataset",
    "moto",
    "aiohttp",
    "sqlglot",
    "pandas",
}


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    from pmc_assets.definitions import defs

    return defs


@pytest.fixture(scope="module")
def specs(defs: dg.Definitions) -> list[dg.AssetSpec]:
    return list(defs.resolve_all_asset_specs())


def imported() -> tuple[float, float, set[str]]:
    """Import Dagster, then the definitions, in a new process: CPU seconds of the one and of both, and all packages."""
    script = (
        "import json, sys, time; import dagster; alone = time.process_time(); import pmc_assets.definitions;"
        "print(json.dumps([alone, time.process_time(), [name.split('.')[0] for name in sys.modules]]))"
    )
    command = [sys.executable, "-W", "ignore", "-c", script]
    answer = subprocess.run(command, capture_output=True, check=True, cwd=REPOSITORY)
    assert answer.stderr == b"", "DuckDB tells leaks where Python collects no garbage as it ends"
    dagster, both, packages = json.loads(answer.stdout)
    return dagster, both, set(packages)


def test_definitions_load_fast_and_light() -> None:
    dagster, both, packages = zip(imported(), imported(), strict=True)
    assert all(HEAVY.isdisjoint(each) for each in packages)
    assert min(both) < LOAD_TIMES_DAGSTER * min(dagster)


def test_asset_keys_equal_the_snapshot(specs: list[dg.AssetSpec]) -> None:
    assert sorted(spec.key.to_user_string() for spec in specs) == json.loads(SNAPSHOT.read_text())


def test_every_asset_says_what_it_is(specs: list[dg.AssetSpec]) -> None:
    for spec in specs:
        assert spec.description and len(spec.description) > 20, spec.key
        assert spec.group_name, spec.key
        assert spec.owners, spec.key
        assert spec.kinds, spec.key


def test_every_table_asset_has_a_described_column_schema(specs: list[dg.AssetSpec]) -> None:
    by_key = {spec.key: spec for spec in specs}
    for name in {*schema.TABLES, "out.samples"} - BESIDE_ANOTHER:
        columns = by_key[dg.AssetKey(name.split("."))].metadata["dagster/column_schema"].columns
        assert all(column.description for column in columns), name
        assert all(column.description.count("[") < 2 for column in columns if column.name.endswith(("_px", "_bytes")))


def test_every_column_and_reason_has_a_meaning() -> None:
    for table in schema.TABLES.values():
        assert table.row and table.key
        for column in table.columns:
            assert column.metadata and column.metadata[b"description"], f"{table.name}.{column.name}"
        assert set(table.key) <= {column.name for column in table.columns}
    assert all(meaning for reasons in REASONS.values() for meaning in reasons.values())


def test_the_linter_forbids_dagster_in_domain_modules(tmp_path: Path) -> None:
    trial = PACKAGE / "figures" / "trial_of_the_linter.py"
    answer = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--stdin-filename", str(trial), "-"],
        input='"""Trial."""\nimport dagster\n',
        text=True,
        capture_output=True,
        cwd=REPOSITORY,
    )
    assert answer.returncode == 1 and "TID251" in answer.stdout


def test_package_init_files_hold_one_line() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        assert len(path.read_text().strip().splitlines()) == 1, path


def test_every_module_and_public_function_of_the_domain_is_documented() -> None:
    undocumented = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        if not ast.get_docstring(tree):
            undocumented.append(str(path.relative_to(REPOSITORY)))
    assert undocumented == []


def test_the_readme_lists_every_module_with_its_own_words() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    for path in sorted(PACKAGE.iterdir()):
        is_package = (path / "__init__.py").is_file()
        if not is_package and path.suffix != ".py" or path.name == "__init__.py":
            continue
        words = ast.get_docstring(ast.parse((path / "__init__.py" if is_package else path).read_text())) or ""
        name = f"{path.name}/" if is_package else path.name
        assert f"| `{name}` | {words.splitlines()[0]} |" in readme, name


def readme_commands() -> list[str]:
    """Give every `pmc-assets …` line of the README's code blocks, continuation lines joined, comments dropped."""
    blocks = (REPOSITORY / "README.md").read_text().split("\n```")[1::2]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if re.match(r"\s*(\S*/)?pmc-assets ", line)]


def test_every_command_of_the_readme_is_understood() -> None:
    from typer.main import get_command

    from pmc_assets.cli.app import app

    commands = readme_commands()
    assert len(commands) > 10
    for line in commands:
        words = shlex.split(line.split(" > ")[0], comments=True)
        command = get_command(app).commands[words[1]]  # type: ignore[attr-defined]
        command.make_context(words[1], words[2:])
