"""The long kill drill: a sync is killed at random moments 200 times, and must end like an undisturbed one.

`python benchmarks/kill_drill.py` prints a Markdown table; the test suite runs the same drill with 20 kills.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "assets_tests"))

from killing import drill  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--kills-per-lake", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        result = drill(Path(folder), options.kills, options.kills_per_lake, options.seed)
    seconds = time.monotonic() - started
    print(
        "| kills | of them after the end | different states of the lake | lakes unlike an undisturbed one | seconds |"
    )
    print("|---:|---:|---:|---:|---:|")
    print(f"| {result.kills} | {result.finished_before_kill} | {result.states} | 0 | {seconds:.0f} |")


if __name__ == "__main__":
    main()
