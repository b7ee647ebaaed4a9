"""Sensors: a partition whose run failed is tried again, later and not for ever; a killed run is seen to be dead."""

import time
from collections.abc import Iterator

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

from pmc_assets.assets.jobs import one_partition
from pmc_assets.assets.sync import sync_article_versions, sync_filelists
from pmc_assets.resources.live_runs import bury_dead_runs

ATTEMPT_TAG = "pmc/attempt"
MAX_ATTEMPTS = 3
FIRST_WAIT_S = 600
LOOK_BACK_S = 3 * 24 * 3600
RETRIED = [one_partition, sync_article_versions, sync_filelists]


def retry_requests(
    instance: dg.DagsterInstance, now: float, retried: frozenset[dg.AssetKey]
) -> Iterator[dg.RunRequest]:
    """Ask for one more run of every partition whose last run over the same assets (all in `retried`) failed.

    The wait doubles with each attempt; after MAX_ATTEMPTS the partition stays failed until a person looks at it.
    Units: `now` in seconds since 1970. Empty: nothing where no failure is due.
    """
    seen: set[tuple[str, frozenset[dg.AssetKey]]] = set()
    for record in instance.get_run_records(limit=None, order_by="id", ascending=False):
        run = record.dagster_run
        if record.create_timestamp.timestamp() < now - LOOK_BACK_S:
            return
        partition = run.tags.get(PARTITION_NAME_TAG)
        assets = planned_assets(instance, run) if partition else frozenset()
        if partition is None or not assets or not assets <= retried or (partition, assets) in seen:
            continue
        seen.add((partition, assets))
        attempt = int(run.tags.get(ATTEMPT_TAG, "1"))
        is_due = now >= (record.end_time or now) + FIRST_WAIT_S * 2 ** (attempt - 1)
        if run.status == dg.DagsterRunStatus.FAILURE and attempt < MAX_ATTEMPTS and is_due:
            yield dg.RunRequest(
                run_key=f"{run.run_id}/{attempt + 1}",
                asset_selection=sorted(assets),
                partition_key=partition,
                tags={ATTEMPT_TAG: str(attempt + 1)},
            )


def planned_assets(instance: dg.DagsterInstance, run: dg.DagsterRun) -> frozenset[dg.AssetKey]:
    """Give the assets that a run was to materialise. Empty: the empty set for a run without assets."""
    if run.asset_selection:
        return frozenset(run.asset_selection)
    planned = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    records = instance.get_records_for_run(run.run_id, of_type=planned).records
    return frozenset(key for record in records if (key := record.asset_key) is not None)


@dg.sensor(
    jobs=RETRIED,
    minimum_interval_seconds=300,
    description=f"Run a failed partition again after 10, then 20 minutes; {MAX_ATTEMPTS} attempts in all.",
)
def retry_failed_partitions(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    repository = context.repository_def
    if repository is None:
        raise dg.DagsterInvariantViolationError("the sensor runs in a code location only")
    names = [job.name for job in RETRIED]
    job_of = {key: name for name in names for key in repository.get_job(name).asset_layer.executable_asset_keys}
    requests = []
    for request in retry_requests(context.instance, time.time(), frozenset(job_of)):
        jobs = {job_of[key] for key in request.asset_selection or ()}
        if len(jobs) == 1:
            requests.append(request.with_replaced_attrs(job_name=jobs.pop()))
    if not requests:
        yield dg.SkipReason("no failed partition is due")
    yield from requests


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Mark the runs of this machine whose process was killed as failed, and free what they held.",
)
def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    dead = bury_dead_runs(context.instance)
    return dg.SkipReason(f"killed: {', '.join(dead)}" if dead else "every run that is in progress lives")
