"""A control room over a lake of a few sample articles, as a user would start it."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from forking import run_forked
from made_lake import ONE_AT_ONCE, copy_encoders

from benchmarks.drill import prepare
from benchmarks.operations.control_room import REPOSITORY, ControlRoom, make_home
from benchmarks.operations.scenarios import Drill
from pmc_assets.lake import Lake
from pmc_assets.sample.bucket import write_sample

ARTICLES, ARTICLES_PER_BATCH = 12, 6
DRILL_ARTICLES, KILLS = 6, 3


def sample_environment(folder: Path, articles: int = ARTICLES) -> dict[str, str]:
    """Write a sample below a folder; give the variables that make it the source of a lake there. EFetch is off."""
    bucket = folder / "bucket"
    write_sample(bucket.as_uri(), articles, articles_per_batch=ARTICLES_PER_BATCH)
    return {
        "PMC_SOURCE": bucket.as_uri(),
        "PMC_LAKE": str(folder / "lake"),
        "PMC_EFETCH_URL": "http://127.0.0.1:9/",
        "DAGSTER_HOME": str(folder / "home"),
    }


def commercial_batches(lake: Path) -> list[str]:
    """Name the batches whose commercial cell has articles."""
    return sorted(
        path.name.removeprefix("batch=") for path in (lake / "raw/filelists/license_group=commercial").iterdir()
    )


@pytest.fixture(scope="package")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """A small sample and its undisturbed lake up to core/images, made once; nobody may change it."""
    return prepare(tmp_path_factory.mktemp("drill"), KILLS, '+key:"core/images"', seed=0, articles=DRILL_ARTICLES)


@pytest.fixture(scope="module")
def room(encoder_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlRoom]:
    """`dagster dev` with the repository's own instance file: one cell and the models are made, the others are listed."""
    folder = tmp_path_factory.mktemp("control-room")
    environment = sample_environment(folder)
    copy_encoders(encoder_lake, folder / "lake")
    home = make_home(Path(environment["DAGSTER_HOME"]), REPOSITORY / "dagster.yaml")
    run = partial(run_forked, environment=dict(os.environ) | environment)
    assert run(["run", *ONE_AT_ONCE, "--select", '+key:"raw/filelists"']).returncode == 0
    made = commercial_batches(folder / "lake")[-1]
    cell = ("--batch", made, "--license-group", "commercial")
    assert run(["run", *ONE_AT_ONCE, *cell, "--select", '+key:"core/annotations"']).returncode == 0
    room = ControlRoom(home, environment)
    room.start()
    try:
        yield room
    finally:
        room.stop()
