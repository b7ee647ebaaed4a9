"""The Dagster instance that the command and the UI share."""

import os
from pathlib import Path

import dagster as dg
import typer

from pmc_assets.locks import hold_lock
from pmc_assets.resources.live_runs import bury_dead_runs
from pmc_assets.resources.pools import set_pool_limits


def dagster_home() -> Path:
    """Give the folder of dagster.yaml: DAGSTER_HOME, else the working directory."""
    home = Path(os.environ.get("DAGSTER_HOME") or Path.cwd()).resolve()
    if not (home / "dagster.yaml").is_file():
        raise typer.BadParameter(
            f"no dagster.yaml in {home}: start in the repository, or set DAGSTER_HOME to a folder that has one"
        )
    return home


def open_instance() -> dg.DagsterInstance:
    """Open the instance whose history the UI shows; runs that were killed are told apart from those that run.

    One process at a time, since Dagster makes a new instance's tables unlocked.
    """
    home = dagster_home()
    os.environ["DAGSTER_HOME"] = str(home)
    with hold_lock(home / ".dagster" / "opening.lock"):
        instance = dg.DagsterInstance.get()
        set_pool_limits(instance)
        bury_dead_runs(instance)
    return instance
