"""Kill a sync at random moments, run it to the end, compare: shared by the test and the long benchmark."""

import os
import random
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from faulty_server import FaultyServer, serve
from forking import start
from small_bucket import SmallBucket
from stages import files_of, opened, sync

from pmc_assets.lake import Lake

PART_BYTES = 24 * 1024
LATENCY_S = 0.004
CONNECTIONS = 4
POLL_S = 0.001
LONGEST_DELAY_S = 0.05


@dataclass(frozen=True)
class DrillResult:
    """How often the process was killed, at how many different states of the lake, and how often it was all done."""

    kills: int
    states: int
    finished_before_kill: int


def day_one(bucket: SmallBucket) -> None:
    for number in range(10_001, 10_041):
        media = {f"g{n}.jpg": random.Random(f"{number}/{n}").randbytes(2_000) for n in range(3)}
        bucket.add(f"PMC{number}", media=media, license_code="CC BY" if number % 3 else "CC BY-NC")
    bucket.publish("2026-11-20")


def day_two(bucket: SmallBucket) -> None:
    """New, changed, re-licensed, retracted and removed articles."""
    for number in range(10_050, 10_062):
        bucket.add(f"PMC{number}", media={"g0.jpg": random.Random(number).randbytes(3_000)})
    for number in range(10_011, 10_031):
        bucket.replace_file(f"PMC{number}", "g1.jpg", random.Random(-number).randbytes(2_500))
    for number in (10_007, 10_008):
        bucket.change(f"PMC{number}", license_code="CC BY-NC")
    bucket.change("PMC10009", license_code="CC BY", is_retracted=True)
    bucket.remove("PMC10010")
    bucket.publish("2026-11-21")


def run_to_the_end(url: str, lake: str) -> None:
    with opened(url, connections=CONNECTIONS) as source:
        sync(source, Lake(lake), part_bytes=PART_BYTES, max_shrink=0.5)


def drill(folder: Path, kills: int, kills_per_lake: int, seed: int) -> DrillResult:
    """Kill `kills` times, on day one and day two in turn; every lake must end like an undisturbed one.

    Raises: AssertionError with the first difference.
    """
    chance = random.Random(seed)
    day_one(SmallBucket(folder / "one"))
    shutil.copytree(folder / "one", folder / "two")
    day_two(SmallBucket(folder / "two"))
    states: set[int] = set()
    done = finished = 0
    with (
        serve(folder / "one", latency_s=LATENCY_S) as first,
        serve(folder / "two", latency_s=LATENCY_S) as second,
    ):
        expected, requests = _undisturbed(folder, first, second)
        while done < kills:
            day = (done // kills_per_lake) % 2
            lake = folder / "killed"
            shutil.rmtree(lake, ignore_errors=True)
            if day == 1:
                shutil.copytree(folder / "lake-one", lake)
            server = (first, second)[day]
            for _ in range(min(kills_per_lake, kills - done)):
                after = chance.uniform(0.0, 2 * requests[day] / kills_per_lake)
                finished += not _run_and_kill(server, str(lake), after, chance.uniform(0.0, LONGEST_DELAY_S))
                done += 1
                states.add(hash(tuple(sorted(files_of(lake)))))
            start(run_to_the_end, server.url, str(lake)).join()
            _assert_equal(files_of(lake), expected[day])
    return DrillResult(done, len(states), finished)


def _undisturbed(folder: Path, first: FaultyServer, second: FaultyServer) -> tuple[list[dict[str, bytes]], list[int]]:
    """Run both days without a kill; give what each leaves, and how many requests it took."""
    left, requests = [], []
    for name, server in (("lake-one", first), ("lake-two", second)):
        if name == "lake-two":
            shutil.copytree(folder / "lake-one", folder / name)
        process = start(run_to_the_end, server.url, str(folder / name))
        process.join()
        assert process.exitcode == 0
        requests.append(server.requests.total())
        left.append(files_of(folder / name))
    return left, requests


def _run_and_kill(server: FaultyServer, lake: str, after_requests: float, delay_s: float) -> bool:
    """Kill a sync that has sent so many requests, a moment later; say whether it was still running.

    Progress counts, not time: a slow machine is killed at the same places as a fast one.
    """
    before = server.requests.total()
    process = start(run_to_the_end, server.url, lake)
    while process.is_alive() and server.requests.total() - before < after_requests:
        time.sleep(POLL_S)
    process.join(delay_s)
    is_running = process.exitcode is None
    if is_running and process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return is_running


def _assert_equal(actual: dict[str, bytes], expected: dict[str, bytes]) -> None:
    assert sorted(actual) == sorted(expected)
    different = [name for name in expected if actual[name] != expected[name]]
    assert not different, f"other bytes in {different}"
