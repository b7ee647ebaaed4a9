"""The job that publishes the data set."""

import dagster as dg

from pmc_assets.resources.lake import LakeResource
from pmc_assets.shards.publish import DEFAULT_GROUPS
from pmc_assets.shards.publish import publish as publish_dataset


class PublishConfig(dg.Config):
    """`target_url`: `hf://datasets/<owner>/<name>` or any fsspec URL; `is_dry_run` only lists what would move."""

    target_url: str
    groups: list[str] = list(DEFAULT_GROUPS)
    is_dry_run: bool = False


@dg.op(description="Make a target the same as the lake's out layer, moving only what differs")
def publish_files(context: dg.OpExecutionContext, config: PublishConfig, lake: LakeResource) -> None:
    result = publish_dataset(lake.open(), config.target_url, config.groups, dry_run=config.is_dry_run)
    context.add_output_metadata(
        {
            "uploads": len(result.uploads),
            "upload_bytes": result.upload_bytes,
            "deletes": len(result.deletes),
            "unchanged": result.unchanged,
            "first_paths": dg.MetadataValue.json(result.uploads[:100] + [f"- {path}" for path in result.deletes[:100]]),
        }
    )


@dg.job(description="Publish samples, shards, Parquet, JSON lines, attributions and the card to a hub or a bucket")
def publish() -> None:
    publish_files()
