"""What the commands that read a lake take, and what they say."""

import re

import pytest
from typer.testing import CliRunner, Result

from pmc_assets.cli.app import app
from pmc_assets.cli.reading import either
from pmc_assets.cli.status import BATCHES_SHOWN, listed_batches
from pmc_assets.lake import Lake
from pmc_assets.sample.bucket import SampleWritten
from pmc_assets.warehouse.build import build_warehouse


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("lake")
    build_warehouse(Lake(str(folder)))
    return str(folder)


def said(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize("before", [[], ["--"]])
def test_a_query_may_begin_with_a_comment(lake, before):
    query = "-- How much, and = what?\n-- key: n\nselect 7 as n"
    result = said("sql", "--lake", lake, "--format=csv", *before, query)
    assert (result.exit_code, result.stdout) == (0, "n\n7\n")


@pytest.mark.parametrize("arguments", [["--fromat", "csv", "select 1"], ["--fromat=a b", "select 1"], ["--fromat"]])
def test_a_mistyped_option_is_named(lake, arguments):
    result = said("sql", "--lake", lake, *arguments)
    assert result.exit_code == 2 and "No such option: --fromat" in re.sub(r"\x1b\[[\d;]*m", "", result.stderr)


def test_neither_a_sample_key_nor_a_file(lake):
    result = said("similar", "--lake", lake, "nosuch.jpg")
    assert result.exit_code == 1
    assert "'nosuch.jpg' is not a sample key" in result.stderr and "no such file" in result.stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (" lung  B-lines", "lung OR B-lines"),
        ("lung", ""),
        ("lung OR heart", ""),
        ('"a phrase" lung', ""),
        ("lung -heart", ""),
        ("caption:lung x", ""),
    ],
)
def test_hint_of_a_search_that_finds_nothing(words, hint):
    assert either(words) == hint


def test_a_sample_is_told_in_a_line(monkeypatch):
    written = SampleWritten("file:///[x]", "truth", "records", 1200, 1224, 3000, 10**9, is_new=False)
    monkeypatch.setattr("pmc_assets.sample.bucket.write_sample", lambda *_, **__: written)
    line = "file:///[x]: 1,200 articles, 1,224 versions, 3,000 images, 1,000,000,000 bytes; it was there already\n"
    assert said("sample", "--to", "x").stderr.endswith(line)


def test_status_names_the_first_batches():
    names = [f"PMC{number:05}xxxx" for number in range(BATCHES_SHOWN + 3)]
    assert listed_batches([]) == "Batches: none that this instance knows"
    assert listed_batches(names[:2]) == "Batches: PMC00000xxxx, PMC00001xxxx"
    assert listed_batches(names).endswith(f"{names[BATCHES_SHOWN - 1]} and 3 more")
