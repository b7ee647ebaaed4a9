"""A run is launched again only where Ray says that it took none. Ray takes seconds to import, in each process."""

from importlib.util import find_spec

import pytest
import stamina

pytestmark = pytest.mark.skipif(
    find_spec("dagster_ray") is None, reason="Ray is not installed: pip install 'pmc-assets[ray,postgres]'"
)
NO_AGENT = "Request failed with status code 500: No available agent to submit job, please try again later.."


def launch(monkeypatch: pytest.MonkeyPatch, *answers: Exception | None) -> int:
    """Launch against a cluster that gives these answers in turn; count how often it was asked."""
    from pmc_assets.resources.ray_launcher import PatientRayRunLauncher, RayRunLauncher

    asked: list[str] = []

    def answer(self: RayRunLauncher, submission_id: str, entrypoint: str, run: object) -> None:
        asked.append(submission_id)
        if (error := answers[len(asked) - 1]) is not None:
            raise error

    monkeypatch.setattr(RayRunLauncher, "_launch_ray_job", answer)
    launcher = PatientRayRunLauncher.__new__(PatientRayRunLauncher)
    with stamina.set_testing(True, attempts=3):
        launcher._launch_ray_job("job-1", "true", None)  # type: ignore[arg-type]
    return len(asked)


def test_a_cluster_without_an_agent_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert launch(monkeypatch, RuntimeError(NO_AGENT), None) == 2


def test_a_refusal_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="already exists"):
        launch(monkeypatch, RuntimeError("Job with submission_id job-1 already exists"), None)
