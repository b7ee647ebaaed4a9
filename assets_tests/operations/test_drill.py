"""A short form of `make drill`: runs of three cells are killed beside a bad source; the lake ends undisturbed."""

from pathlib import Path

from benchmarks.drill import play
from benchmarks.operations.scenarios import Drill


def test_killed_runs_of_a_bad_source_lose_nothing(drill: Drill, tmp_path: Path) -> None:
    finding = play(drill, "kills beside a bad source", tmp_path / "stage")
    assert finding.wrong == []
    assert finding.faults.done > 0, "every run ended before it was killed"
