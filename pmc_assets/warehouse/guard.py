"""What a query may be: one statement that reads. Where it may read is the connection's matter."""

import re

import duckdb

from pmc_assets.warehouse.derive import LAYERS

_EXPLAIN = re.compile(
    r"(?>\s+|--[^\n]*|/\*.*?\*/)*+(explain\b\s*(\(\s*(?:analyze|format)\b[\w\s,]*\)\s*)?(analyze\b\s*)?)",
    re.IGNORECASE | re.DOTALL,
)
_WRITING_NODE = re.compile(r'"type":"(?:COPY|INSERT|UPDATE|DELETE|MERGE_INTO)_QUERY_NODE"')
_TABLE = re.compile(rf"\b({'|'.join(LAYERS)})\b\"?\s*\.\s*\"?(\w+)", re.IGNORECASE)
_IN_SEARCH = re.compile(
    r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/)|\bin\s*\(\s*(search|neighbours)\s*\(""",
    re.IGNORECASE | re.DOTALL,
)
_ECHO = re.compile(r"\s*\nLINE \d+:.*", re.DOTALL)
_FUNCTION = re.compile(r"^Invalid Input Error: Python exception occurred while executing the UDF: (\w+: )?")


class QueryError(ValueError):
    """A query that cannot be run, or failed."""


class QueryRefused(QueryError):
    """A query that is not one statement that reads."""


def check_query(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Give the one reading statement of a text, `in (search('…'))` written out.

    Raises: QueryRefused for anything that writes, sets, attaches, installs, or is not exactly one statement;
    QueryError for a text that does not parse.
    """
    text = _IN_SEARCH.sub(lambda found: found[1] or f"in (select sample_key from {found[2]}(", sql).strip()
    explain = _EXPLAIN.match(text)
    text = text[explain.end() :] if explain else text
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise QueryError(one_line(error)) from None
    except TypeError:
        raise QueryError("the query is not UTF-8 text") from None
    if len(statements) != 1:
        raise QueryRefused(f"one statement is wanted, not {len(statements)}")
    kind = statements[0].type
    if kind == duckdb.StatementType.MULTI:
        raise QueryRefused("a pivot has to name its values: `pivot … on column in (…)`")
    if kind != duckdb.StatementType.SELECT:
        raise QueryRefused(f"only queries that read are allowed, this is {kind.name}")
    if _writes(connection, text):
        raise QueryRefused("only queries that read are allowed, a part of this one writes")
    return (explain[1] if explain else "") + statements[0].query.strip().rstrip(";")


def _writes(connection: duckdb.DuckDBPyConnection, text: str) -> bool:
    """Say whether a part of a query writes: DuckDB calls `with x as (copy …) select …` a query that reads."""
    tree = connection.execute("select json_serialize_sql(?::varchar)", [text]).fetchall()[0][0]
    return _WRITING_NODE.search(tree) is not None


def tables_of(sql: str) -> set[str]:
    """Name the tables that a query's text names, and perhaps more. Empty: for a query of the catalogue."""
    return {f"{layer.lower()}.{table.lower()}" for layer, table in _TABLE.findall(sql)}


def one_line(error: Exception) -> str:
    """Give an error's message as one line, without the echo of the query; of a function of ours, just what it says."""
    return " ".join(_FUNCTION.sub("", _ECHO.sub("", str(error))).split())
