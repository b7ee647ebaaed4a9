"""Which lakes are opened at all."""

import re

import pytest

from pmc_assets.resources.lake import LakeResource
from pmc_assets.resources.variables import whole_number


@pytest.mark.parametrize("width", [20_000, 0, -10])
def test_batch_width_is_a_power_of_ten(tmp_path, width):
    with pytest.raises(ValueError, match=f"PMC_BATCH_IDS is {width}"):
        LakeResource(url=str(tmp_path), batch_ids=width).open()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["lake[1]", "a::b", "a\\b"])
def test_root_is_no_pattern_and_no_chain(tmp_path, name):
    with pytest.raises(ValueError, match=re.escape(f"{name} cannot be the root")):
        LakeResource(url=str(tmp_path / name)).open()


def test_variable_that_is_no_number_is_named(monkeypatch):
    monkeypatch.setenv("PMC_BATCH_IDS", "x")
    with pytest.raises(ValueError, match="PMC_BATCH_IDS is 'x'"):
        whole_number("PMC_BATCH_IDS", 10)
