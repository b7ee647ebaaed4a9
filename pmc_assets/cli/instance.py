"""The Dagster instance that the command and the UI share."""

import os
from pathlib import Path

import dagster as dg
import typer


def dagster_home() -> Path:
    """Give the folder of dagster.yaml: DAGSTER_HOME, else the working directory."""
    home = Path(os.environ.get("DAGSTER_HOME") or Path.cwd()).resolve()
    if not (home / "dagster.yaml").is_file():
        raise typer.BadParameter(
            f"no dagster.yaml in {home}: start in the repository, or set DAGSTER_HOME to a folder that has one"
        )
    return home


def open_instance() -> dg.DagsterInstance:
    """Open the instance whose history the UI shows."""
    os.environ["DAGSTER_HOME"] = str(dagster_home())
    return dg.DagsterInstance.get()
