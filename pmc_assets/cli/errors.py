"""What a person reads when something is wrong: one line, and an exit code that is not 0."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import typer
from rich.console import Console

OF_LIBRARIES = {"dagster": "DagsterError", "httpx": "HTTPError", "botocore.exceptions": "BotoCoreError"}


@contextlib.contextmanager
def told(console: Console) -> Iterator[None]:
    """Print a named error as one line and end with exit code 1; a reader who left (`| head`) is no error."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except _named_errors() as error:
        say(console, error)
        raise typer.Exit(1) from error


def say(console: Console, error: Exception) -> None:
    """Print an error as one line."""
    line = " ".join(str(error).split()) or type(error).__name__
    console.print(f"error: {line}", style="red", markup=False, highlight=False, soft_wrap=True)


def ending(console: Console, *leftovers: Path) -> Callable[[Exception], None]:
    """Give what ends the process from any thread: remove what it would leave, say why, exit code 1."""

    def end(error: Exception) -> None:
        for path in leftovers:
            path.unlink(missing_ok=True)
        console.show_cursor()
        say(console, error)
        os._exit(1)

    return end


def _named_errors() -> tuple[type[Exception], ...]:
    """Give the errors whose message says all; those of libraries where they are loaded: no command waits for them."""
    elsewhere = (getattr(sys.modules[module], name) for module, name in OF_LIBRARIES.items() if module in sys.modules)
    return (ValueError, RuntimeError, OSError, duckdb.Error, *elsewhere)
