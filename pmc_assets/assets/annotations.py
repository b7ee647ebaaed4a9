"""core.annotations: what every image shows."""

from collections import Counter

import dagster as dg

from pmc_assets import schema
from pmc_assets.annotations.annotate import annotate_partition
from pmc_assets.annotations.consistency import count_contradictions
from pmc_assets.assets.cluster_model import FIGURES, LABELS, MODEL, PROPOSALS
from pmc_assets.assets.partitions import cells, partition_of
from pmc_assets.assets.report import asset_key, bars, check_specs, materialization, none_check, table_asset, timed
from pmc_assets.resources.lake import LakeResource
from pmc_assets.results import StageResult

TABLE = schema.CORE_ANNOTATIONS
KEY = asset_key(TABLE.name)
CONTRADICTIONS_CHECK = "labels_do_not_contradict_themselves"
COVERAGE_CHECK = "labels_cover_the_images"
MIN_LABELLED_SHARE = 0.8
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
        dg.AssetCheckSpec(
            COVERAGE_CHECK, asset=KEY, description=f"At least {MIN_LABELLED_SHARE:.0%} of the images have a label"
        ),
    ],
)
def core_annotations(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Annotate the images of one cell with the model and labels in use."""
    store, partition = lake.open(), partition_of(context)
    with timed() as clock:
        result = annotate_partition(store, partition)
    annotations = store.read_table(TABLE, partition)
    wrong = count_contradictions(annotations)
    checks = none_check(KEY, CONTRADICTIONS_CHECK, contradictions=wrong), _coverage(result)
    labels = Counter(label for labels in annotations["primary_label"].to_pylist() for label in labels)
    plots = bars("labels", labels, "Images by label")
    return materialization(
        KEY, result, store, clock.seconds, table=TABLE, partition=partition, checks=checks, metadata=plots
    )


def _coverage(result: StageResult) -> dg.AssetCheckResult:
    share = 1 - int(result.details["unlabelled"]) / result.rows if result.rows else 1.0
    return dg.AssetCheckResult(
        asset_key=KEY,
        check_name=COVERAGE_CHECK,
        passed=share >= MIN_LABELLED_SHARE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"labelled_share": round(share, 4)},
    )
