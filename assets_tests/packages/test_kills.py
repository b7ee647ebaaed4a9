"""The kill drill in small: benchmarks/kill_drill.py runs the long one."""

from pathlib import Path

from killing import drill


def test_a_sync_that_is_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    result = drill(tmp_path, kills=20, kills_per_lake=5, seed=20)
    assert result.kills == 20
    assert result.states > 5
    assert result.finished_before_kill < 10
