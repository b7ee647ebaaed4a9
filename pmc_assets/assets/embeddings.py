"""core.embeddings: one vector per readable image."""

import dagster as dg

from pmc_assets import schema
from pmc_assets.annotations.embed import embed_partition
from pmc_assets.annotations.panels import VERSION as PANELS_VERSION
from pmc_assets.annotations.vectors import embeddings_partition
from pmc_assets.assets.partitions import cells, partition_of
from pmc_assets.assets.report import asset_key, check_specs, materialization, table_asset, timed
from pmc_assets.resources.encoder import EncoderResource
from pmc_assets.resources.lake import LakeResource

TABLE = schema.CORE_EMBEDDINGS
KEY = asset_key(TABLE.name)


@dg.asset(
    **table_asset(TABLE, kinds=("parquet", "onnx", "pytorch")),
    deps=[asset_key(schema.CORE_IMAGES.name)],
    partitions_def=cells,
    check_specs=check_specs(KEY),
    code_version=PANELS_VERSION,
)
def core_embeddings(
    context: dg.AssetExecutionContext, lake: LakeResource, encoder: EncoderResource
) -> dg.MaterializeResult:
    """Encode the images of one cell; vectors that are there already are kept."""
    store, partition = lake.open(), partition_of(context)
    with timed() as clock:
        model = encoder.load(store, threads=lake.workers)
        result = embed_partition(store, partition, model, workers=lake.workers)
    target = embeddings_partition(partition, model.name)
    return materialization(KEY, result, store, clock.seconds, table=TABLE, partition=target)
