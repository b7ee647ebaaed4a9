"""core.annotations: what every image shows."""

import dagster as dg

from pmc_assets import schema
from pmc_assets.annotations.annotate import annotate_partition
from pmc_assets.annotations.consistency import count_contradictions
from pmc_assets.assets.cluster_model import FIGURES, LABELS, MODEL, PROPOSALS
from pmc_assets.assets.partitions import cells, partition_of
from pmc_assets.assets.report import asset_key, check_specs, materialization, table_asset, timed
from pmc_assets.resources.lake import LakeResource

TABLE = schema.CORE_ANNOTATIONS
KEY = asset_key(TABLE.name)
CONTRADICTIONS_CHECK = "labels_do_not_contradict_themselves"
OF_CELLS = (schema.CORE_EMBEDDINGS, schema.CORE_SUBCAPTIONS)


@dg.asset(
    **table_asset(TABLE),
    deps=[*(asset_key(table.name) for table in OF_CELLS), FIGURES, MODEL, PROPOSALS, LABELS],
    partitions_def=cells,
    check_specs=[
        *check_specs(KEY),
        dg.AssetCheckSpec(
            CONTRADICTIONS_CHECK,
            asset=KEY,
            blocking=True,
            description="Every local concept has its parent; panel type, subtype and count agree",
        ),
    ],
)
def core_annotations(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Annotate the images of one cell with the model and labels in use."""
    store, partition = lake.open(), partition_of(context)
    with timed() as clock:
        result = annotate_partition(store, partition)
    wrong = count_contradictions(store.read_table(TABLE, partition))
    check = dg.AssetCheckResult(
        asset_key=KEY, check_name=CONTRADICTIONS_CHECK, passed=wrong == 0, metadata={"contradictions": wrong}
    )
    return materialization(KEY, result, store, clock.seconds, table=TABLE, partition=partition, checks=(check,))
