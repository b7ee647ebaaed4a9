"""What the sensors ask for, of the jobs that the definitions hold."""

import time

import dagster as dg
import pytest
from dagster._core.storage.tags import PARTITION_NAME_TAG

from pmc_assets.assets import sensors
from pmc_assets.assets.partitions import batches, cell_key
from pmc_assets.assets.sync import FILELISTS_KEY, PACKAGES_KEY, VERSIONS_KEY

BATCH = "PMC00000xxxx"
CELL = str(cell_key(BATCH, "commercial"))


@pytest.mark.parametrize(
    ("keys", "partition", "jobs"),
    [
        ({VERSIONS_KEY}, BATCH, ["sync_article_versions"]),
        ({FILELISTS_KEY}, CELL, ["sync_filelists"]),
        ({PACKAGES_KEY}, CELL, ["one_partition"]),
        ({FILELISTS_KEY, PACKAGES_KEY}, CELL, []),
    ],
)
def test_failed_run_is_asked_for_again_of_its_own_job(keys, partition, jobs, monkeypatch):
    from dagster._core.test_utils import create_run_for_test

    from pmc_assets.definitions import defs

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(batches.name, [BATCH])
        run = create_run_for_test(instance, asset_selection=keys, tags={PARTITION_NAME_TAG: partition})
        instance.report_run_failed(run)
        later = time.time() + sensors.FIRST_WAIT_S + 1
        monkeypatch.setattr(sensors.time, "time", lambda: later)
        context = dg.build_sensor_context(instance=instance, repository_def=defs.get_repository_def())
        with dg.partition_loading_context(dynamic_partitions_store=instance):
            requests = sensors.retry_failed_partitions.evaluate_tick(context).run_requests
    assert [request.job_name for request in requests] == jobs
    assert all(request.partition_key == partition for request in requests)
