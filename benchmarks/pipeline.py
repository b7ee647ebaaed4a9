"""`pmc-assets run` on a synthetic bucket, split by stage, against the floor: copy, hash and parse the same bytes.

python -m benchmarks.pipeline [--articles 2000]
"""

import argparse
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import dagster as dg
from lxml import etree

REPOSITORY = Path(__file__).parent.parent


def floor_seconds(bucket: Path, target: Path) -> tuple[float, float, int, int]:
    """Copy and hash every file, then parse every XML, one process; returns both times, files and bytes."""
    files = [path for path in bucket.glob("PMC*/*") if path.suffix != ".txt"]
    started = time.perf_counter()
    size = 0
    for number, path in enumerate(files):
        content = path.read_bytes()
        size += len(content)
        hashlib.md5(content, usedforsecurity=False).digest()
        (target / str(number)).write_bytes(content)
    copied = time.perf_counter() - started
    started = time.perf_counter()
    for path in bucket.glob("PMC*/*.xml"):
        etree.fromstring(path.read_bytes(), etree.XMLParser(recover=True))
    return copied, time.perf_counter() - started, len(files), size


def stage_seconds(home: Path) -> dict[str, float]:
    """Sum the seconds of every materialisation by asset, from the instance's own events."""
    seconds: dict[str, float] = defaultdict(float)
    os.chdir(home)
    os.environ["DAGSTER_HOME"] = str(home)
    with dg.DagsterInstance.get() as instance:
        for key in instance.get_asset_keys():
            events = instance.fetch_materializations(key, limit=1000).records
            for event in events:
                metadata = event.asset_materialization.metadata if event.asset_materialization else {}
                if "seconds" in metadata:
                    seconds[key.to_user_string()] += float(metadata["seconds"].value or 0)
    return dict(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=2000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        from pmc_assets.sample.bucket import write_sample

        bucket = home / "bucket"
        write_sample(bucket.as_uri(), arguments.articles, 1)
        (home / "floor").mkdir()
        copied, parsed, files, size = floor_seconds(bucket, home / "floor")
        shutil.rmtree(home / "floor")
        for name in ("dagster.yaml", "workspace.yaml"):
            shutil.copy(REPOSITORY / name, home / name)
        environment = os.environ | {
            "DAGSTER_HOME": str(home),
            "PMC_LAKE": str(home / "lake"),
            "PMC_SOURCE": bucket.as_uri(),
            "PMC_EFETCH_URL": "",
        }
        command = [str(Path(sys.executable).with_name("pmc-assets")), "run"]
        started = time.perf_counter()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=home, env=environment, check=True, capture_output=True)
        wall = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        print(f"{arguments.articles} articles, {files} files, {size / 1e6:.0f} MB\n")
        print("| what | seconds | articles/s | MB/s |\n|---|---:|---:|---:|")
        rows = {
            "floor: copy and hash": copied,
            "floor: bare lxml parse": parsed,
            "the whole run (wall)": wall,
            "the whole run (CPU)": cpu,
        }
        rows |= {
            f"stage {key}": seconds for key, seconds in sorted(stage_seconds(home).items(), key=lambda item: -item[1])
        }
        for name, seconds in rows.items():
            rate = max(seconds, 1e-3)
            print(f"| {name} | {seconds:.2f} | {arguments.articles / rate:.0f} | {size / 1e6 / rate:.1f} |")
        print(
            f"\nPeak memory of the largest process: {used.ru_maxrss / 1024:.0f} MiB; ratio to the floor (CPU): "
            f"{cpu / (copied + parsed):.1f}"
        )


if __name__ == "__main__":
    main()
