"""The data dictionary of the README is that of the contracts."""

from pathlib import Path

import pytest

from pmc_assets.warehouse.catalog import all_tables
from pmc_assets.warehouse.dictionary import BEGIN, END, NoMarkers, dictionary, with_dictionary
from pmc_assets.warehouse.shared_views import shared_views

README = Path(__file__).parents[2] / "README.md"


def test_readme_holds_the_current_dictionary():
    text = README.read_text()
    if BEGIN not in text:
        pytest.skip("the README has no marked part for the dictionary")
    assert with_dictionary(text) == text, "run: python -m pmc_assets.warehouse.dictionary --write README.md"


def test_every_column_is_named_with_a_meaning():
    text = dictionary()
    for table in (all_tables() | shared_views()).values():
        assert f"<code>{table.name}</code>" in text
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) >= sum(len(table.columns) for table in all_tables().values())
    assert all(line.rsplit("|", 2)[1].strip() for line in rows)


def test_only_the_marked_part_is_made_new():
    document = f"before\n{BEGIN}\nstale part\n{END}\nafter\n"
    new = with_dictionary(document)
    assert new.startswith("before\n") and new.endswith("\nafter\n") and "stale part" not in new
    assert with_dictionary(new) == new
    with pytest.raises(NoMarkers):
        with_dictionary("nothing")
