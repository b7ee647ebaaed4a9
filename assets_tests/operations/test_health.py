"""The checks over the history: a jump in the share of rejects warns, usual shares do not."""

import dagster as dg
import pytest

from pmc_assets import schema
from pmc_assets.assets.health import WATCHED, reject_shares, share_jumped
from pmc_assets.assets.report import asset_key

IMAGES = asset_key(schema.CORE_IMAGES.name)


@pytest.mark.parametrize(
    ("share", "before", "is_jump"),
    [
        (0.5, [], False),
        (0.02, [0.01] * 9, False),
        (0.05, [0.01] * 9, True),
        (0.03, [0.0] * 9, True),
        (0.2, [0.1], False),
    ],
)
def test_jump_is_far_over_the_usual_share(share: float, before: list[float], is_jump: bool) -> None:
    assert share_jumped(share, before) is is_jump


def test_shares_are_newest_first_and_small_partitions_do_not_count() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        for partition, listed, rejected in (("old", 100, 1), ("small", 3, 3), ("new", 200, 50)):
            instance.report_runless_asset_event(
                dg.AssetMaterialization(IMAGES, partition=partition, metadata={"listed": listed, "rejected": rejected})
            )
        assert reject_shares(instance, IMAGES) == [("new", 0.25), ("old", 0.01)]


def test_watched_tables_have_the_check() -> None:
    from pmc_assets.definitions import defs

    names = {key.to_user_string() for key in defs.resolve_asset_graph().asset_check_keys}
    assert {f"{asset_key(table.name).to_user_string()}:reject_share_is_as_usual" for table in WATCHED} <= names
    assert "raw/inventory:inventory_is_fresh" in names
