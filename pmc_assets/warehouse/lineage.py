"""Column lineage of a derived table, read from its query. What shows it stays out."""

from typing import Any

from pmc_assets.warehouse.contract import SqlContract
from pmc_assets.warehouse.derive import find_table

DIALECT = "duckdb"


def read_lineage(contract: SqlContract) -> dict[str, list[tuple[str, str]]]:
    """Give, for every column of a derived table, the (table, column) pairs that its value is made from.

    Shape: in the query's order; pairs sorted. Empty: [] for a column that reads none, such as a count of rows.
    """
    from sqlglot import exp
    from sqlglot.lineage import lineage

    schema: dict[str, Any] = {}
    for name in contract.depends:
        layer, table = name.split(".")
        schema.setdefault(layer, {})[table] = dict.fromkeys(find_table(name).arrow.names, "text")
    columns: dict[str, list[tuple[str, str]]] = {}
    roots: Any = lineage(None, contract.sql, schema=schema, dialect=DIALECT, trim_selects=False)
    for column, root in roots.items():
        leaves = [node for node in root.walk() if isinstance(node.source, exp.Table) and not node.downstream]
        columns[column] = sorted({(f"{leaf.source.db}.{leaf.source.name}", _column_name(leaf.name)) for leaf in leaves})
    return columns


def _column_name(qualified: str) -> str:
    return qualified.split(".")[-1].strip('"')
