"""A lake that one run of the command makes, as a user would make it."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from forking import run_forked

from pmc_assets.lake import Lake

REPOSITORY = Path(__file__).parent.parent
ONE_AT_ONCE = ("--jobs", "1")
ENCODERS = "models/encoders"
REAL_BATCH, ONE_REAL_BATCH = "PMC0xxxxxxxx", {"PMC_BATCH_IDS": "100000000"}
SAMPLE_BATCH, ONE_SAMPLE_BATCH = "PMC9000xxxxx", {"PMC_BATCH_IDS": "100000"}
"""All articles in one batch: most of what a small lake costs is what each of its cells costs Dagster."""


def run_command(
    home: Path, *arguments: str, is_forked: bool = True, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `pmc-assets` in a process of its own, with an instance and a lake below `home`.

    Not forked, it starts as a user would start it.
    """
    shutil.copy(REPOSITORY / "dagster.yaml", home / "dagster.yaml")
    shutil.copy(REPOSITORY / "workspace.yaml", home / "workspace.yaml")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PMC_", "NCBI_"))}
    environment |= {"DAGSTER_HOME": str(home), "PMC_LAKE": str(home / "lake"), "COLUMNS": "200"} | variables
    if is_forked:
        return run_forked(list(arguments), environment)
    command = [str(Path(sys.executable).with_name("pmc-assets")), *arguments]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class MadeLake:
    """A lake that one run of the command made, and what the run said."""

    home: Path
    variables: dict[str, str]

    @property
    def root(self) -> Path:
        return self.home / "lake"

    @property
    def lake(self) -> Lake:
        return Lake(str(self.root))

    def digests(self) -> dict[str, str]:
        """Give the sha256 of every file of the lake by its path."""
        files = (path for path in self.root.rglob("*") if path.is_file())
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def command(self, *arguments: str, is_forked: bool = True) -> subprocess.CompletedProcess[str]:
        return run_command(self.home, *arguments, is_forked=is_forked, **self.variables)

    def truth(self) -> list[dict]:
        """Tell what is true of each image of the embedded sample."""
        return pq.read_table(self.home / ".sample" / "bucket.truth.parquet").to_pylist()

    def rows(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.root / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def copy_encoders(source: Lake, target: Path) -> None:
    shutil.copytree(source.full_path(ENCODERS), target / ENCODERS)


def make_lake(home: Path, encoder_lake: Lake, *options: str, is_forked: bool = True, **variables: str) -> MadeLake:
    """Make a lake by one run of the command, but for the encoder's graph, which `encoder_lake` has."""
    made = MadeLake(home, variables)
    copy_encoders(encoder_lake, made.root)
    answer = made.command("run", *ONE_AT_ONCE, *options, is_forked=is_forked)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return made
