"""What a person sees of a mistake: one line on standard error, exit code 1, no Dagster loaded to say it."""

import io
import subprocess
import sys

import pyarrow as pa
import pytest
import typer
from rich.console import Console

from pmc_assets.cli.errors import told
from pmc_assets.cli.status import rich_table


@pytest.mark.parametrize("error", [ValueError("one\n\n  two"), OSError(2, "nothing there", "x"), RuntimeError()])
def test_named_error_is_one_line_and_exit_code_1(error, capsys):
    with pytest.raises(typer.Exit) as end, told(Console(stderr=True, width=40)):
        raise error
    said = capsys.readouterr()
    assert end.value.exit_code == 1 and said.out == ""
    assert said.err.startswith("error: ") and said.err.count("\n") == 1


def test_other_errors_are_not_hidden():
    with pytest.raises(ZeroDivisionError), told(Console(stderr=True)):
        raise ZeroDivisionError


@pytest.fixture(scope="module")
def command() -> list[str]:
    return [sys.executable, "-m", "pmc_assets.cli.app"]


def test_commands_that_read_do_not_wait_for_dagster():
    trial = "import sys, pmc_assets.cli.app; sys.exit('dagster' in sys.modules or 'pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", trial]).returncode == 0


def test_reader_who_leaves_hears_no_error(command, tmp_path):
    from pmc_assets.lake import Lake
    from pmc_assets.warehouse.build import build_warehouse

    build_warehouse(Lake(str(tmp_path)))
    query = ["sql", "from range(3000000)", "--format", "csv", "--lake", str(tmp_path)]
    with subprocess.Popen([*command, *query], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline() == b"range\n"
        process.stdout.close()
        assert process.stderr.read() == b""


def test_texts_in_a_table_are_no_markup():
    console = Console(width=60, record=True, file=io.StringIO())
    console.print(rich_table(pa.table({"caption": ["[18F]FDG [/b] uptake"], "is_new": [True]})))
    text = console.export_text()
    assert "[18F]FDG [/b] uptake" in text and "true" in text
