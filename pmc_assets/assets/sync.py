"""Staying current: a daily look at the inventory, and a sensor that runs just the partitions that it concerns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.data_version import get_input_data_version_tag
from dagster._core.storage.tags import RUN_KEY_TAG

from pmc_assets import schema
from pmc_assets.assets.inventory import BATCHES_KEY
from pmc_assets.assets.jobs import one_partition
from pmc_assets.assets.partitions import batches, cell_key, cells
from pmc_assets.assets.report import asset_key
from pmc_assets.assets.runless import MATERIALIZATION, OBSERVATION, known_versions
from pmc_assets.licenses import LICENSE_GROUPS

RUNS_PER_TICK = 50
RECORDS_PER_QUERY = 500
TICK_S = 60
INVENTORY_KEY = asset_key(schema.RAW_INVENTORY.name)
VERSIONS_KEY = asset_key(schema.RAW_ARTICLE_VERSIONS.name)
FILELISTS_KEY = asset_key(schema.RAW_FILELISTS.name)
PACKAGES_KEY = asset_key(schema.RAW_PACKAGES.name)

sync_inventory = dg.define_asset_job(
    "sync_inventory",
    selection=dg.AssetSelection.assets(INVENTORY_KEY),
    description="Look at today's inventory; the sensor new_inventory does the rest.",
)
sync_article_versions = dg.define_asset_job(
    "sync_article_versions",
    selection=dg.AssetSelection.assets(VERSIONS_KEY),
    partitions_def=batches,
    description="Fetch the metadata that changed in one batch.",
)
sync_filelists = dg.define_asset_job(
    "sync_filelists",
    selection=dg.AssetSelection.assets(FILELISTS_KEY),
    partitions_def=cells,
    description="Make the file lists of all licence groups of one batch.",
)
sync_daily = dg.ScheduleDefinition(
    name="sync_daily",
    job=sync_inventory,
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    description="NLM writes its inventory from 01:00 UTC on; at 06:00 it is whole on most days.",
)


@dataclass(frozen=True, slots=True)
class Due:
    """One partition that was made from an older version of what it depends on, or never.

    `event_id` is the event that made its input what it is.
    """

    job_name: str
    partition_key: str
    event_id: int

    @property
    def run_key(self) -> str:
        return f"{self.job_name}/{self.partition_key}/{self.event_id}"


def due_partitions(instance: dg.DagsterInstance) -> list[Due]:
    """List the partitions to be run now, in three steps along the lineage; each step follows when the last is done.

    Only data versions are compared: a partition whose input has the content that it was made from is never listed.
    """
    return [
        *_behind(instance, sync_article_versions.name, VERSIONS_KEY, BATCHES_KEY, parent_event=OBSERVATION),
        *_behind(instance, sync_filelists.name, FILELISTS_KEY, VERSIONS_KEY, _first_cell),
        *_behind(instance, one_partition.name, PACKAGES_KEY, FILELISTS_KEY),
    ]


def _behind(
    instance: dg.DagsterInstance,
    job_name: str,
    key: dg.AssetKey,
    parent: dg.AssetKey,
    partition_of: Callable[[str], str] = str,
    parent_event: dg.DagsterEventType = MATERIALIZATION,
) -> Iterator[Due]:
    """Give the partitions of an asset that were not made from what its parent now is.

    `partition_of` names the partition that follows from one of the parent's.
    """
    events = instance.event_log_storage
    made = events.get_latest_storage_id_by_partition(key, MATERIALIZATION)
    inputs = events.get_latest_storage_id_by_partition(parent, parent_event)
    later = {name: event_id for name, event_id in inputs.items() if event_id > made.get(partition_of(name), -1)}
    versions = known_versions(instance, parent, sorted(later), parent_event) if later else {}
    made_from = _made_from(instance, key, parent, [made[partition_of(n)] for n in later if partition_of(n) in made])
    for name, event_id in sorted(later.items()):
        if made_from.get(partition_of(name)) != versions[name]:
            yield Due(job_name, partition_of(name), event_id)


def _made_from(
    instance: dg.DagsterInstance, key: dg.AssetKey, parent: dg.AssetKey, event_ids: list[int]
) -> dict[str, str]:
    """Give, by partition, the parent's data version that each of these materialisations was made from."""
    tag = get_input_data_version_tag(parent)
    found: dict[str, str] = {}
    for start in range(0, len(event_ids), RECORDS_PER_QUERY):
        some = event_ids[start : start + RECORDS_PER_QUERY]
        records = instance.fetch_materializations(dg.AssetRecordsFilter(key, storage_ids=some), limit=len(some)).records
        for record in records:
            materialization = record.asset_materialization
            if materialization is not None and materialization.partition is not None:
                found[materialization.partition] = (materialization.tags or {}).get(tag, "")
    return found


def _first_cell(batch: str) -> str:
    """Name the cell whose run makes the file lists of all groups of a batch."""
    return str(cell_key(batch, LICENSE_GROUPS[0]))


def not_yet_requested(instance: dg.DagsterInstance, due: list[Due]) -> list[Due]:
    """Leave out what a run was started for, whatever became of it: failures are retried elsewhere."""
    filters = dg.RunsFilter(tags={RUN_KEY_TAG: [one.run_key for one in due]})
    started = {run.tags.get(RUN_KEY_TAG) for run in instance.get_runs(filters)} if due else set()
    return [one for one in due if one.run_key not in started]


@dg.sensor(
    jobs=[sync_article_versions, sync_filelists, one_partition],
    minimum_interval_seconds=TICK_S,
    description="Run the partitions that a new inventory concerns, and no others, step by step.",
)
def new_inventory(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    due = not_yet_requested(context.instance, due_partitions(context.instance))
    if not due:
        yield dg.SkipReason("every partition is made from what the source offers")
    for one in due[:RUNS_PER_TICK]:
        yield dg.RunRequest(run_key=one.run_key, job_name=one.job_name, partition_key=one.partition_key)
