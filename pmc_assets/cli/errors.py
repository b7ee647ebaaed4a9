"""What a person reads when something is wrong: one line, and an exit code that is not 0."""

import contextlib
from collections.abc import Iterator

import dagster as dg
import duckdb
import typer
from rich.console import Console


@contextlib.contextmanager
def told(console: Console) -> Iterator[None]:
    """Print a named error as one line and end with exit code 1."""
    try:
        yield
    except (ValueError, RuntimeError, OSError, duckdb.Error, dg.DagsterError) as error:
        console.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
