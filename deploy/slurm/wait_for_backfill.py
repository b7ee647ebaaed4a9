"""Wait until the newest backfill with a tag has ended; the exit code says whether every partition was made.

python wait_for_backfill.py slurm=12345
"""

import sys
import time

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus

POLL_S = 5.0
ENDED = {
    BulkActionStatus.COMPLETED,
    BulkActionStatus.COMPLETED_SUCCESS,
    BulkActionStatus.COMPLETED_FAILED,
    BulkActionStatus.FAILED,
    BulkActionStatus.CANCELED,
}
UNFINISHED = ["QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING"]


def main() -> int:
    name, _, value = sys.argv[1].partition("=")
    with dg.DagsterInstance.get() as instance:
        while True:
            backfill = instance.get_backfills(filters=BulkActionsFilter(tags={name: value}), limit=1)[0]
            runs = instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfill.backfill_id}))
            if backfill.status in ENDED and not any(run.status.value in UNFINISHED for run in runs):
                break
            time.sleep(POLL_S)
        made = {run.tags.get("dagster/partition") for run in runs if run.status == dg.DagsterRunStatus.SUCCESS}
        wanted = set(backfill.partition_names or ())
    sys.stderr.write(f"{len(made & wanted)} of {len(wanted)} partitions made\n")
    return 0 if wanted and made >= wanted else 1


if __name__ == "__main__":
    sys.exit(main())
