"""The examples of sql/examples run on any lake, full or empty, and give the columns that their headers promise."""

import pytest

from pmc_assets.lake import Lake
from pmc_assets.warehouse.build import build_warehouse
from pmc_assets.warehouse.catalog import all_tables
from pmc_assets.warehouse.connection import open_connection
from pmc_assets.warehouse.contract import SqlContract, read_contracts, sql_folder
from pmc_assets.warehouse.guard import check_query, tables_of
from pmc_assets.warehouse.search import update_search
from pmc_assets.warehouse.shared_views import view_contracts

EXAMPLES = {contract.name: contract for contract in read_contracts(sql_folder() / "examples", "examples")}


KNOWN = set(all_tables()) | {view.name for view in view_contracts()}


def answer(lake: Lake, example: SqlContract) -> tuple[list[str], list[tuple]]:
    with open_connection(lake) as connection:
        result = connection.sql(check_query(connection, example.sql))
        return result.columns, result.fetchall()


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Lake:
    lake = Lake(str(tmp_path_factory.mktemp("examples") / "lake"))
    update_search(lake)
    build_warehouse(lake)
    return lake


def test_there_are_at_least_twelve():
    assert len(EXAMPLES) >= 12


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_gives_the_columns_of_its_header(empty, name):
    columns, _ = answer(empty, EXAMPLES[name])
    assert columns == list(EXAMPLES[name].columns)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_names_the_tables_that_it_asks(name):
    example = EXAMPLES[name]
    assert example.row.endswith("?") and set(example.depends) == tables_of(example.sql) & KNOWN
