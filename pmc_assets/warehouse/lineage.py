"""Column lineage of a derived table, read from its query. What shows it stays out."""

from typing import Any

from pmc_assets.warehouse.contract import SqlContract
from pmc_assets.warehouse.derive import find_table

DIALECT = "duckdb"


def read_lineage(contract: SqlContract) -> dict[str, list[tuple[str, str]]]:
    """Give, for every column of a derived table, the (table, column) pairs that its value is made from.

    Shape: in the query's order; pairs sorted. Empty: [] for a column that reads none, such as a count of rows.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.lineage import lineage
    from sqlglot.optimizer import build_scope
    from sqlglot.optimizer.qualify import qualify

    schema: dict[str, Any] = {}
    for name in contract.depends:
        layer, table = name.split(".")
        schema.setdefault(layer, {})[table] = dict.fromkeys(find_table(name).arrow.names, "text")
    parsed = sqlglot.parse_one(contract.sql, dialect=DIALECT)
    query: Any = qualify(parsed, schema=schema, dialect=DIALECT, validate_qualify_columns=False)
    scope = build_scope(query)
    columns: dict[str, list[tuple[str, str]]] = {}
    for column in query.named_selects:
        nodes = lineage(column, query, schema=schema, dialect=DIALECT, scope=scope).walk()
        leaves = [node for node in nodes if isinstance(node.source, exp.Table) and not node.downstream]
        pairs = {(f"{leaf.source.db}.{leaf.source.name}", leaf.name.split(".")[-1].strip('"')) for leaf in leaves}
        columns[column] = sorted(pairs)
    return columns
