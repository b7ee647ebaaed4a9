"""Kill it, fill its disk, lie to it, run it twice at once: afterwards a rerun gives the lake of an undisturbed run.

    make drill                                        every scenario, 50 kills and more
    python -m benchmarks.drill --only kills --articles 3 --select '+key:"core/images"'    one scenario, a small lake

Each scenario ends with a rerun; then the lake is compared with the undisturbed one (tables row by row, tars and all
else byte by byte, but for the times of asking), everything published has to read to its end, no scratch may be left,
and the API key may be in no log, database or table.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.operations import forked_run, scenarios
from benchmarks.operations.compare_lakes import differences, half_written, holders_of
from benchmarks.operations.scenarios import Drill, Faults
from benchmarks.operations.stage import SECRET, Stage
from pmc_assets.sample.bucket import write_sample

ARTICLES = 12
FULL_KILLS = 40
RAW_TO_SHARDS = '+key:"out/shards"'
SCENARIOS: dict[str, Callable[[Drill, Stage], Faults]] = {
    "kills": scenarios.kills,
    "kills beside a bad source": scenarios.kills_beside_a_bad_source,
    "kills of one worker": scenarios.worker_kills,
    "kills of dagster dev in a backfill": scenarios.control_room_kills,
    "disk full": scenarios.full_disk,
    "source down, slow, lying": scenarios.bad_source,
    "two runs at once": scenarios.two_runs,
    "clock jumps": scenarios.clock_jumps,
    "lake on s3, 5 % of calls fail": scenarios.failing_object_storage,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a scenario did and what was wrong afterwards. `wrong` is empty where nothing got lost."""

    scenario: str
    faults: Faults
    seconds: float
    wrong: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=FULL_KILLS)
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--select", default=RAW_TO_SHARDS, help="assets in Dagster's selection syntax")
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pmc-drill-", dir="/dev/shm") as name:
        folder = Path(name)
        drill = prepare(folder, arguments.kills, arguments.select, arguments.seed, arguments.articles)
        print(f"undisturbed: {drill.runs} runs, {drill.operations} operations on the lake's files\n", flush=True)
        print("| scenario | faults | seconds | afterwards |\n|---|---|---:|---|", flush=True)
        findings = []
        for scenario in arguments.only:
            finding = play(drill, scenario, folder / scenario.replace(" ", "-").replace("%", "").replace(",", ""))
            findings.append(finding)
            wrong = "; ".join(finding.wrong[:5]) or "equal, whole, clean"
            print(f"| {scenario} | {finding.faults} | {finding.seconds:.0f} | {wrong} |", flush=True)
    sys.exit(any(finding.wrong for finding in findings))


def prepare(folder: Path, kills: int, select: str, seed: int, articles: int) -> Drill:
    """Write the sample and the undisturbed lake."""
    bucket = folder / "bucket"
    write_sample(bucket.as_uri(), articles)
    stage = Stage(folder / "undisturbed", bucket.as_uri(), select)
    if stage.run() != 0:
        raise RuntimeError(f"the undisturbed run failed:\n{stage.log()[-4000:]}")
    operations = forked_run.operations(stage.folder)
    return Drill(bucket, stage.lake, select, kills, operations, stage.runs_started(), random.Random(seed))


def play(drill: Drill, scenario: str, folder: Path) -> Finding:
    """Play one scenario on a lake of its own, and look at what it left."""
    stage, started = Stage(folder, drill.bucket.as_uri(), drill.select), time.monotonic()
    try:
        faults = SCENARIOS[scenario](drill, stage)
        if faults.skipped:
            return Finding(scenario, faults, time.monotonic() - started, [])
        wrong = [*faults.wrong, *differences(drill.undisturbed, stage.lake), *half_written(stage.lake)]
        wrong += [f"the key is in {path}" for path in holders_of(SECRET, [stage.folder])]
        return Finding(scenario, faults, time.monotonic() - started, wrong)
    finally:
        stage.clear()


if __name__ == "__main__":
    main()
