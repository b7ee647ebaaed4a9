"""out.jsonl: one line per article with its figures."""

import dagster as dg

from pmc_assets.assets.partitions import cells, partition_of
from pmc_assets.assets.report import OWNERS, asset_key, counts_spec, materialization, timed
from pmc_assets.resources.lake import LakeResource
from pmc_assets.shards.jsonl import TABLE_NAME, write_jsonl

KEY = asset_key(TABLE_NAME)


class JsonlConfig(dg.Config):
    """`is_gzipped` writes articles.jsonl.gz in place of articles.jsonl."""

    is_gzipped: bool = False


@dg.asset(
    key=KEY,
    deps=[asset_key("out.samples"), asset_key("out.shards"), asset_key("raw.filelists")],
    partitions_def=cells,
    group_name="out",
    kinds={"json"},
    owners=OWNERS,
    description=(
        "One line per article with its figures, in the form of PMC-15M: pmid, pmc, location, figures (fig_caption, "
        "fig_id, fig_label, graphic_ref, pair_id). `graphic_ref` opens with fsspec, relative to the folder `out`.\n\n"
        "File: `out/jsonl/license_group=…/batch=…/articles.jsonl`"
    ),
    check_specs=[counts_spec(KEY)],
)
def out_jsonl(context: dg.AssetExecutionContext, config: JsonlConfig, lake: LakeResource) -> dg.MaterializeResult:
    """Write the articles of one cell as JSON lines."""
    store, partition = lake.open(), partition_of(context)
    with timed() as clock:
        result = write_jsonl(store, partition, compression="gzip" if config.is_gzipped else "none")
    return materialization(KEY, result, store, clock.seconds, partition=partition)
