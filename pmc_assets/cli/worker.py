"""One Dagster run in this process: what the pool of `pmc-assets run` executes."""

import logging
from dataclasses import dataclass
from functools import cache

import dagster as dg
import stamina.instrumentation

from pmc_assets.resources.live_runs import process_tag


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run ended; `error` is the first failed step's own line."""

    run_id: str
    partition_key: str | None
    is_success: bool
    error: str = ""


@cache
def _definitions() -> dg.Definitions:
    logging.getLogger("dagster").setLevel(logging.ERROR)
    stamina.instrumentation.set_on_retry_hooks([])
    from pmc_assets.definitions import defs

    return defs


@cache
def _instance() -> dg.DagsterInstance:
    """Open the instance once for all runs of this process: it checks its schema each time."""
    return dg.DagsterInstance.get()


@cache
def _job(keys: frozenset[dg.AssetKey]) -> dg.JobDefinition:
    """Make the job of some assets, as `dg.materialize` does, but once for all of their partitions."""
    defs = _definitions()
    job = dg.define_asset_job("__ephemeral_asset_job__", selection=dg.AssetSelection.assets(*keys))
    return dg.Definitions(
        assets=defs.assets, asset_checks=defs.asset_checks, resources=defs.resources, jobs=[job]
    ).resolve_job_def(job.name)


def materialize(keys: frozenset[dg.AssetKey], partition_key: str | dg.MultiPartitionKey | None) -> Outcome:
    """Materialise assets for one partition (None: not partitioned) through the instance of DAGSTER_HOME."""
    result = _job(keys).execute_in_process(
        partition_key=partition_key,
        instance=_instance(),
        tags=process_tag(_instance()),
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    return Outcome(result.run_id, partition_key, result.success, _first_error(result))


def _first_error(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            cause = error.cause if error and error.cause else error
            return f"{event.step_key}: {cause.message.strip().splitlines()[0] if cause else 'failed'}"
        if event.is_run_failure:
            return event.message or "failed"
    checks = [c for c in result.get_asset_check_evaluations() if not c.passed and c.severity.value == "ERROR"]
    return "; ".join(f"check {c.check_name} of {c.asset_key.to_user_string()} failed" for c in checks[:1])
