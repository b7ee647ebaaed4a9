"""A control room over a lake of a few sample articles, as a user would start it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.drill import prepare
from benchmarks.operations.control_room import REPOSITORY, ControlRoom, make_home
from benchmarks.operations.scenarios import Drill
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


def pmc_assets(environment: dict[str, str], *arguments: str) -> None:
    """Run the command in a process of its own. Raises: CalledProcessError."""
    program = str(Path(sys.executable).with_name("pmc-assets"))
    subprocess.run(
        [program, *arguments],
        env=os.environ | environment,
        cwd=environment["DAGSTER_HOME"],
        check=True,
        capture_output=True,
        timeout=300,
    )


@pytest.fixture(scope="package")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """A small sample and its undisturbed lake up to core/images, made once; nobody may change it."""
    return prepare(tmp_path_factory.mktemp("drill"), KILLS, '+key:"core/images"', seed=0, articles=DRILL_ARTICLES)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlRoom]:
    """`dagster dev` with the repository's own instance file: one cell and the models are made, the others are listed."""
    folder = tmp_path_factory.mktemp("control-room")
    environment = sample_environment(folder)
    home = make_home(Path(environment["DAGSTER_HOME"]), REPOSITORY / "dagster.yaml")
    pmc_assets(environment, "run", "--jobs", "1", "--select", '+key:"raw/filelists"')
    made = commercial_batches(folder / "lake")[-1]
    pmc_assets(
        environment,
        "run",
        "--jobs",
        "1",
        "--batch",
        made,
        *("--license-group", "commercial"),
        "--select",
        '+key:"core/annotations"',
    )
    room = ControlRoom(home, environment)
    room.start()
    try:
        yield room
    finally:
        room.stop()
