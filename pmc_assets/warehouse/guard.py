"""What a query may be: one statement that reads. Where it may read is the connection's matter."""

import re

import duckdb

_EXPLAIN = re.compile(r"^\s*explain\s+(\([^)]*\)\s*)?(analyze\s+)?", re.IGNORECASE)
_TABLE = re.compile(r"\b(raw|core|out|models)\b\"?\s*\.\s*\"?(\w+)", re.IGNORECASE)
_IN_SEARCH = re.compile(r"\bin\s*\(\s*(search|neighbours)\s*\(", re.IGNORECASE)


class QueryError(ValueError):
    """A query that cannot be run, or failed."""


class QueryRefused(QueryError):
    """A query that is not one statement that reads."""


def check_query(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Give the one reading statement of a text, `in (search('…'))` written out.

    Raises: QueryRefused for anything that writes, sets, attaches, installs, or is not exactly one statement;
    QueryError for a text that does not parse.
    """
    text = _IN_SEARCH.sub(r"in (select sample_key from \1(", sql).strip()
    text = _EXPLAIN.sub("", text) if _EXPLAIN.match(text) else text
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise QueryError(str(error)) from None
    if len(statements) != 1:
        raise QueryRefused(f"one statement is wanted, not {len(statements)}")
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT:
        raise QueryRefused(f"only queries that read are allowed, this is {kind.name}")
    prefix = _EXPLAIN.match(sql.strip())
    return (prefix[0] if prefix else "") + statements[0].query.strip().rstrip(";")


def tables_of(sql: str) -> set[str]:
    """Name the tables that a query's text names, and perhaps more. Empty: for a query of the catalogue."""
    return {f"{layer.lower()}.{table.lower()}" for layer, table in _TABLE.findall(sql)}
