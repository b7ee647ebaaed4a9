"""Time and count the bytes of subset exports: a random 1 % against what it needs, a sequential one against cp.

Run: python benchmarks/subsets.py [samples] [folder]. It makes a lake of about 100 kB a sample and removes it.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

TESTS = Path(__file__).parent.parent / "assets_tests" / "subsets"
sys.path.insert(0, str(TESTS))

from generated_lake import make_lake  # noqa: E402
from ranged_server import CountingHandler  # noqa: E402

from pmc_assets.lake import Lake  # noqa: E402
from pmc_assets.subsets import forms  # noqa: E402
from pmc_assets.subsets.export import export_subset  # noqa: E402

IMAGE_BYTES = 130_000
REPEATS = 7
MANY = "('0x' || md5(sample_key)[1:4])::int % 100 = 7"


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, dict[str, int]]]:
    sent: dict[str, int] = {}
    handler = type("Handler", (CountingHandler,), {"sent": sent})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", sent
    server.shutdown()


def medians_s(*runs: Callable[[], object], clean: Path) -> list[float]:
    """Time runs in turn, round by round, so that what the machine does meanwhile meets all; medians in seconds."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(REPEATS):
        for run, of_run in zip(runs, times, strict=True):
            shutil.rmtree(clean, ignore_errors=True)
            os.sync()
            started = time.perf_counter()
            run()
            of_run.append(time.perf_counter() - started)
    return [statistics.median(of_run) for of_run in times]


def tar_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.tar"))


@contextmanager
def counted_ranges() -> Iterator[list[int]]:
    """Count the bytes of every range that is read from shards."""
    sizes: list[int] = []
    read = forms.read_ranges

    def counting(lake: Lake, ranges: Iterable[tuple[str, int, int]]) -> Iterator[bytes | memoryview]:
        for content in read(lake, ranges):
            sizes.append(len(content))
            yield content

    forms.read_ranges = counting
    yield sizes
    forms.read_ranges = read


def main(samples: int, base: str) -> None:
    work = Path(tempfile.mkdtemp(prefix="subsets-benchmark-", dir=base))
    try:
        lake, out = work / "lake", work / "out"
        make_lake(str(lake), samples, IMAGE_BYTES, most_samples=10_000, pmcid_step=4)
        print("| export | samples | MB | measured | |\n|---|---:|---:|---:|---:|")
        export_subset(str(lake), name="warm", where="false", to=str(work / "warm"))
        with counted_ranges() as sizes:
            done = export_subset(str(lake), name="one", where=MANY, to=str(out))
        share = sum(sizes) / tar_bytes(out)
        print(row("random 1 %, local, bytes of shards read / exported", done.samples, tar_bytes(out), f"{share:.3f}"))
        shutil.rmtree(out)
        with served(lake) as (url, sent):
            done = export_subset(url, name="one", where=MANY, to=str(out))
            share = sum(sent.values()) / tar_bytes(out)
        print(row("random 1 %, HTTP, bytes served / exported", done.samples, tar_bytes(out), f"{share:.3f}"))
        files = [str(path) for path in sorted(lake.joinpath("out/shards").rglob("*.tar"))]

        def export() -> None:
            export_subset(str(lake), name="all", where="true", to=str(out))

        def copy() -> None:
            out.mkdir()
            subprocess.run(["cp", "--reflink=never", "--backup=numbered", *files, str(out)], check=True)

        floor, seconds = medians_s(copy, export, clean=out)
        size = tar_bytes(out)
        rate, floor_rate = size / seconds / 1e6, size / floor / 1e6
        print(
            row(
                "everything, in order",
                samples,
                size,
                f"{rate:.0f} MB/s",
                f"cp {floor_rate:.0f} MB/s: {rate / floor_rate:.0%}",
            )
        )
        started = time.perf_counter()
        again = export_subset(str(lake), name="all", where="true", to=str(out))
        print(row("the same again", samples, again.copied_bytes, f"{time.perf_counter() - started:.2f} s"))
    finally:
        shutil.rmtree(work)


def row(name: str, samples: int, size: int, measured: str, beside: str = "") -> str:
    return f"| {name} | {samples:,} | {size / 1e6:.1f} | {measured} | {beside} |"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12_000, sys.argv[2] if len(sys.argv) > 2 else tempfile.gettempdir())
