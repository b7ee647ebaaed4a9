"""Mutate real articles and read each mutant: every one is read or refused, in bounded time and memory.

Run: python -m benchmarks.fuzz_jats [--mutants 10000] [--seed 1] (needs the real articles of PMC_SHARED).
"""

import argparse
import os
import random
import re
import resource
import time
import tracemalloc
from collections import Counter
from pathlib import Path

from pmc_assets.jats.article import MalformedArticle, read_article

LARGEST_FILE_BYTES = 120_000
_TAG = re.compile(rb"<(/?)([A-Za-z][\w:-]*)([^<>]*)>")
_NAMES = (
    b"p fig caption title sec list list-item label xref fig-group graphic alternatives table-wrap disp-formula"
    b" inline-formula tex-math boxed-text media break sub-article body front article-meta contrib name aff abstract"
    b" pub-date license"
).split()


def mutate(xml: bytes, other: bytes, random_: random.Random) -> bytes:
    """Change an article in one to four places, mostly so that it stays well-formed."""
    for _ in range(random_.randint(1, 4)):
        xml = random_.choice((_rename, _rename, _drop, _wrap, _splice, _scramble))(xml, other, random_)
    return xml


def _element(xml: bytes, random_: random.Random) -> tuple[int, int, bytes] | None:
    """Pick a leaf-like element: its start, its end and its name."""
    start = random_.randrange(len(xml))
    opening = _TAG.search(xml, start)
    if opening is None or opening[1] or opening[3].endswith(b"/"):
        return None
    closing = b"</" + opening[2] + b">"
    end = xml.find(closing, opening.end())
    if end < 0 or xml.count(b"<" + opening[2], opening.start(), end) != 1:
        return None
    return opening.start(), end + len(closing), opening[2]


def _rename(xml: bytes, other: bytes, random_: random.Random) -> bytes:
    found = _element(xml, random_)
    if found is None:
        return xml
    start, end, name = found
    new = random_.choice(_NAMES)
    inner = xml[start + 1 + len(name) : end - len(name) - 1]
    return xml[:start] + b"<" + new + inner + new + b">" + xml[end:]


def _drop(xml: bytes, other: bytes, random_: random.Random) -> bytes:
    found = _element(xml, random_)
    return xml[: found[0]] + xml[found[1] :] if found else xml


def _wrap(xml: bytes, other: bytes, random_: random.Random) -> bytes:
    found = _element(xml, random_)
    if found is None:
        return xml
    name = random_.choice(_NAMES)
    return xml[: found[0]] + b"<" + name + b">" + xml[found[0] : found[1]] + b"</" + name + b">" + xml[found[1] :]


def _splice(xml: bytes, other: bytes, random_: random.Random) -> bytes:
    found, donor = _element(xml, random_), _element(other, random_)
    return xml[: found[0]] + other[donor[0] : donor[1]] + xml[found[0] :] if found and donor else xml


def _scramble(xml: bytes, other: bytes, random_: random.Random) -> bytes:
    start = random_.randrange(len(xml))
    noise = random_.choice((b"<", b"&", b"\xff", b"", b"\0", b"&#0;", b"&#xFDD0;", b"]]>", b"<!--", b"<![CDATA["))
    return xml[:start] + noise + xml[start + random_.choice((0, 1, 20)) :]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(os.environ.get("PMC_SHARED", "../shared")) / "jats"
    articles = [path.read_bytes() for path in sorted(folder.glob("*.xml")) if path.stat().st_size < LARGEST_FILE_BYTES]
    random_ = random.Random(options.seed)
    ends: Counter[str] = Counter()
    slowest_s, largest_ratio = 0.0, 0.0
    for number in range(options.mutants):
        xml = mutate(random_.choice(articles), random_.choice(articles), random_)
        is_traced = number % 100 == 0
        if is_traced:
            tracemalloc.start()
        started = time.perf_counter()
        try:
            read_article(xml)
            ends["read"] += 1
        except MalformedArticle:
            ends["refused (MalformedArticle)"] += 1
        if is_traced:
            largest_ratio = max(largest_ratio, tracemalloc.get_traced_memory()[1] / len(xml))
            tracemalloc.stop()
        else:
            slowest_s = max(slowest_s, time.perf_counter() - started)
    print("| end of a mutant | count |\n|---|---|")
    for end, count in ends.items():
        print(f"| {end} | {count} |")
    print("| crashed | 0 |")
    print(f"| slowest, ms | {slowest_s * 1e3:.0f} |")
    print(f"| most Python memory, multiple of the file | {largest_ratio:.1f} |")
    print(f"| peak of the process, MB | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} |")


if __name__ == "__main__":
    main()
