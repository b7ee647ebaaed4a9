"""Column lineage is read from the query itself."""

import pytest

from pmc_assets.warehouse.contract import find_contract, table_contracts
from pmc_assets.warehouse.derive import find_table
from pmc_assets.warehouse.lineage import read_lineage


def test_a_column_names_what_it_is_made_from_through_every_step() -> None:
    lineage = read_lineage(find_contract("out.samples"))
    assert lineage["caption"] == [("core.figures", "caption")]
    assert lineage["is_too_small"] == [("core.images", "height_px"), ("core.images", "width_px")]
    assert lineage["doi"] == [("core.articles", "doi"), ("core.pubmed_records", "doi")]
    assert lineage["cluster_model"] == [("core.annotations", "model_id")]


@pytest.mark.parametrize("name", sorted(table_contracts()))
def test_lineage_covers_every_column_and_names_real_ones(name: str) -> None:
    contract = find_contract(name)
    lineage = read_lineage(contract)
    assert list(lineage) == list(contract.columns)
    for table, column in {pair for pairs in lineage.values() for pair in pairs}:
        assert table in contract.depends and column in find_table(table).arrow.names
