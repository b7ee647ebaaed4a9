"""What several commands share: options, the console beside standard output, a progress bar."""

import os
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

LakeUrl = Annotated[str, typer.Option("--lake", envvar="PMC_LAKE", help="Root of the lake: a folder or fsspec URL.")]
Jobs = Annotated[int, typer.Option(help="Partitions at once.", min=1)]
CORES = os.cpu_count() or 1
console = Console(stderr=True, emoji=False)


def counting(console: Console, *, disable: bool = False) -> Progress:
    """Give a progress bar: what is counted, how many of how many, how long."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=disable)
