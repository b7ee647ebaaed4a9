"""out.dataset_card: the README, the Croissant description and the plots of the published data set."""

import dagster as dg

from pmc_assets.assets.report import OWNERS, asset_key, counts_spec, materialization, picture, timed
from pmc_assets.resources.lake import LakeResource
from pmc_assets.shards.card import TABLE_NAME, write_card

KEY = asset_key(TABLE_NAME)


@dg.asset(
    key=KEY,
    deps=[asset_key("out.samples"), asset_key("core.rejects")],
    group_name="out",
    kinds={"markdown", "huggingface"},
    owners=OWNERS,
    description=(
        "The data set's card over all partitions: README.md with front matter for the Hugging Face Hub, "
        "croissant.json, counts by licence, label, year and journal, rejects by reason, plots.\n\n"
        "Files: `out/dataset_card/README.md`, `croissant.json`, `plots/*.png`"
    ),
    check_specs=[counts_spec(KEY, "Every file was written")],
)
def out_dataset_card(lake: LakeResource) -> dg.MaterializeResult:
    """Write the card; show its plots."""
    store = lake.open()
    with timed() as clock:
        result, files = write_card(store)
    plots = {name: picture(content) for name, content in files.items() if name.endswith(".png")}
    return materialization(KEY, result, store, clock.seconds, metadata=plots)
