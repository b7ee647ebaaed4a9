"""A prompt for SQL on a lake: statements end in a semicolon, `.tables` and `.columns` explain. Files stay out."""

import sys
from collections.abc import Callable
from typing import BinaryIO

import duckdb

from pmc_assets.lake import Lake
from pmc_assets.warehouse.connection import Limits, open_connection
from pmc_assets.warehouse.guard import QueryError
from pmc_assets.warehouse.query import run_on
from pmc_assets.warehouse.watch import Abandon

WELCOME = "SQL over {url}. End with ; — .tables, .columns core.figures, .quit"
TABLES = """
select schema_name || '.' || view_name as "table", comment from duckdb_views() where not internal order by 1
"""
COLUMNS = """
select column_name, data_type, comment from duckdb_columns()
where schema_name || '.' || table_name = '{table}' order by column_index
"""


def prompt(
    lake_url: str,
    *,
    timeout_s: float | None = None,
    memory_limit: str = "4GB",
    abandon: Abandon | None = None,
    is_person: bool = True,
    read_line: Callable[[str], str] = input,
    out: BinaryIO | None = None,
) -> None:
    """Read statements until `.quit` or the end of the input; a person's mistake is said and forgotten.

    Raises: NoWarehouse; QueryError where no person is asked (`is_person`), who gets no prompt either.
    """
    target = out or sys.stdout.buffer
    lake = Lake(lake_url)
    with open_connection(lake, Limits(memory=memory_limit)) as connection:
        if is_person:
            _say(target, WELCOME.format(url=lake.url))
        while (statement := _read_statement(read_line, is_person)) not in (".quit", ".exit"):
            _answer(connection, statement, target, timeout_s, abandon, is_person)


def _read_statement(read_line: Callable[[str], str], is_person: bool) -> str:
    """Read lines up to a semicolon or the end of the input. Empty: `.quit` at the end."""
    lines: list[str] = []
    try:
        while not lines or not (lines[-1].rstrip().endswith(";") or lines[0].startswith(".")):
            lines.append(read_line(("   ...> " if lines else "pmc> ") if is_person else ""))
    except EOFError:
        return "\n".join(lines).strip() or ".quit"
    except KeyboardInterrupt:
        return ""
    return "\n".join(lines).strip()


def _answer(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    out: BinaryIO,
    timeout_s: float | None,
    abandon: Abandon | None,
    is_person: bool,
) -> None:
    command, _, table = statement.partition(" ")
    sql = {".tables": TABLES, ".columns": COLUMNS.format(table=table.strip().replace("'", ""))}.get(command, statement)
    if not sql.strip(" ;"):
        return
    try:
        run_on(connection, sql, out, timeout_s=timeout_s, abandon=abandon)
    except QueryError as error:
        if not is_person:
            raise
        _say(out, str(error))
    except (KeyboardInterrupt, duckdb.InterruptException):
        _say(out, "stopped")
    out.flush()


def _say(out: BinaryIO, text: str) -> None:
    out.write(text.encode() + b"\n")
    out.flush()
