"""Views over all partitions of several tables: `sql/views/*.sql`, in the layer core. Tables per partition stay out."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache

from pmc_assets.schema import Table
from pmc_assets.warehouse.contract import SqlContract, read_contracts, sql_folder
from pmc_assets.warehouse.derive import derived_table
from pmc_assets.warehouse.views import comments, identifier

LAYER = "core"


def shared_views() -> dict[str, Table]:
    """Give every such view as a table without partitions, by name."""
    return {c.name: replace(derived_table(c), partitioned_by=()) for c in view_contracts()}


@cache
def view_contracts() -> tuple[SqlContract, ...]:
    """Read the contract of every such view, by name."""
    return tuple(read_contracts(sql_folder() / "views", LAYER))


def shared_view_statements(tables: Collection[str]) -> Iterator[str]:
    """Give the SQL of the views whose tables are all among `tables`, each with its comments."""
    for contract in view_contracts():
        if set(contract.depends) <= set(tables):
            yield f"create view {identifier(contract.name)} as {contract.sql}"
            yield from comments(contract.name, contract.row, contract.key, contract.columns)
