"""raw/filelists: what a licence group of a batch offers. One run makes the lists of all groups of its batch."""

from collections import Counter

import dagster as dg

from pmc_assets import schema
from pmc_assets.assets.empty_cells import report_empty_cells
from pmc_assets.assets.partitions import batch_to_cells, cell_key, cells, partition_of
from pmc_assets.assets.report import asset_key, bars, check_specs, materialization, table_asset, timed
from pmc_assets.assets.runless import known_versions, report_changed
from pmc_assets.filelists.filelists import write_filelists
from pmc_assets.resources.lake import LakeResource

TABLE = schema.RAW_FILELISTS
KEY = asset_key(TABLE.name)
VERSIONS_KEY = asset_key(schema.RAW_ARTICLE_VERSIONS.name)


@dg.asset(
    **table_asset(TABLE),
    partitions_def=cells,
    deps=[dg.AssetDep(VERSIONS_KEY, partition_mapping=batch_to_cells)],
    check_specs=check_specs(KEY),
)
def filelists(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Write the three file lists of a batch, and report those of the other groups that changed."""
    store, partition = lake.open(), partition_of(context)
    batch, own = partition["batch"], partition["license_group"]
    with timed() as clock:
        results = write_filelists(store, batch)
    unaccounted = [group for group, result in results.items() if not result.is_accounted_for]
    if unaccounted:
        raise dg.Failure(f"{batch}: not every version is listed or rejected in {', '.join(unaccounted)}")
    versions = {str(cell_key(batch, group)): result.digest for group, result in results.items()}
    rows = {str(cell_key(batch, group)): result.rows for group, result in results.items()}
    others = {name: version for name, version in versions.items() if name != str(cell_key(batch, own))}
    input_version = known_versions(context.instance, VERSIONS_KEY, [batch]).get(batch, "")
    inputs = dict.fromkeys(others, {VERSIONS_KEY: input_version})
    report_changed(context.instance, KEY, others, inputs=inputs, rows=rows)
    report_empty_cells(context.instance, store, {name: versions[name] for name, count in rows.items() if count == 0})
    codes = store.read_table(TABLE, partition, columns=["license_code"])["license_code"].to_pylist()
    plots = bars("licenses", Counter(code or "none" for code in codes), "Versions on offer, by licence")
    return materialization(KEY, results[own], store, clock.seconds, table=TABLE, partition=partition, metadata=plots)
