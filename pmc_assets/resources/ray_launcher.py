"""Every run as one job of a Ray cluster, by dagster-ray; a cluster that is too busy to take a job is asked again."""

import stamina
from dagster import DagsterRun
from dagster_ray import RayRunLauncher

BUSY = "try again later"
ATTEMPTS, WAIT_S = 12, 180.0


def _is_busy(error: Exception) -> bool:
    """Say whether Ray took no job, and says so itself: asked again, none is started twice."""
    return isinstance(error, RuntimeError) and BUSY in str(error)


class PatientRayRunLauncher(RayRunLauncher):
    """dagster-ray's launcher; Dagster drops a run whose launch fails, so a moment without an agent must not fail it."""

    def _launch_ray_job(self, submission_id: str, entrypoint: str, run: DagsterRun) -> None:
        for attempt in stamina.retry_context(on=_is_busy, attempts=ATTEMPTS, timeout=WAIT_S):
            with attempt:
                super()._launch_ray_job(submission_id, entrypoint, run)
