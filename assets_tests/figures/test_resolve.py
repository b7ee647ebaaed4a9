import json
from pathlib import Path

import pytest

from pmc_assets.figures.resolve import FileIndex, rank_alternatives, resolve_graphic
from pmc_assets.jats.article import read_graphics


@pytest.mark.parametrize(
    ("trait", "graphic_ref", "names", "expected"),
    [
        ("exact", "f1.jpg", ["f1.jpg", "f2.jpg"], ["f1.jpg"]),
        ("without extension, gif twin", "f1", ["f1.gif", "f1.jpg"], ["f1.jpg", "f1.gif"]),
        ("another extension", "f1.tif", ["f1.jpg"], ["f1.jpg"]),
        ("bitmap", "f1", ["f1.bmp", "f1.gif"], ["f1.gif", "f1.bmp"]),
        ("vector redrawn", "f1.eps", ["f1.png"], ["f1.png"]),
        ("other case", "F1.JPG", ["f1.jpg"], ["f1.jpg"]),
        ("other case of the stem", "F1", ["f1.jpg"], ["f1.jpg"]),
        ("percent-encoded", "Fig%201.jpg", ["Fig 1.jpg"], ["Fig 1.jpg"]),
        ("percent in the file name", "Fig%201.jpg", ["Fig%201.jpg", "Fig 1.jpg"], ["Fig%201.jpg"]),
        ("dots in the stem", "pone.0001.g001", ["pone.0001.g001.jpg", "pone.0001.g002.jpg"], ["pone.0001.g001.jpg"]),
        ("folder before the name", "images/f1.jpg", ["f1.jpg"], ["f1.jpg"]),
        ("address", "https://x.org/a/f1.tif?v=2", ["f1.jpg"], ["f1.jpg"]),
        ("exact name before its twin", "f1.gif", ["f1.jpg", "f1.gif"], ["f1.gif", "f1.jpg"]),
        ("accents composed in another way", "e\u0301%201.jpg", ["\u00e9 1.jpg"], ["\u00e9 1.jpg"]),
        ("accents of the file decomposed", "\u00c9", ["e\u0301.gif", "e\u0301.jpg"], ["e\u0301.jpg", "e\u0301.gif"]),
        ("fragment", "f1.jpg#page=1", ["f1.jpg"], ["f1.jpg"]),
        ("number sign in the name", "f#1", ["f.jpg", "f#1.jpg"], ["f#1.jpg"]),
        ("number sign is no fragment", "f#1.jpg", ["f.jpg"], []),
        ("no file", "f1.jpg", ["f10.jpg"], []),
        ("two names that differ in case", "FIG.jpg", ["fig.jpg", "Fig.jpg"], []),
        ("a video is not its poster", "v1.mp4", ["v1.jpg"], []),
        ("a video", "v1.mp4", ["v1.mp4"], ["v1.mp4"]),
        ("empty", "", ["f1.jpg"], []),
    ],
)
def test_resolve(trait: str, graphic_ref: str, names: list[str], expected: list[str]):
    assert resolve_graphic(graphic_ref, FileIndex(names)) == expected, trait


def refs(*graphic_refs: str) -> list[dict]:
    return [{"graphic_ref": graphic_ref} for graphic_ref in graphic_refs]


def test_largest_format_of_a_stem_leads():
    index = FileIndex(["f1.gif", "f1.png", "f1.jpg"])
    sizes = {"f1.gif": 10, "f1.png": 3000, "f1.jpg": 2000}
    assert [name for _, name in rank_alternatives(refs("f1"), index, sizes)] == ["f1.png", "f1.jpg", "f1.gif"]


def test_alternatives_are_one_choice_over_formats_and_sizes():
    index = FileIndex(["a.svg", "a-thumb.jpg", "a-full.png"])
    sizes = {"a.svg": 90_000, "a-thumb.jpg": 500, "a-full.png": 60_000}
    ranked = rank_alternatives(refs("a.svg", "a-thumb.jpg", "a-full.png"), index, sizes)
    assert ranked == [("a-full.png", "a-full.png"), ("a-thumb.jpg", "a-thumb.jpg"), ("a.svg", "a.svg")]


def test_unresolved_alternatives_are_empty():
    assert rank_alternatives(refs("x", "y"), FileIndex(["f1.jpg"]), {}) == []


@pytest.mark.mirror
def test_graphics_of_the_real_mirror_resolve(mirror: Path):
    """Every figure of an article whose media are on offer finds a file."""
    unresolved, resolved = [], 0
    for path in sorted(mirror.glob("PMC*/*.json")):
        offer = json.loads(path.read_text())
        index = FileIndex(url.split("?")[0].rsplit("/", 1)[1] for url in offer.get("media_urls") or [])
        if not index.names:
            continue
        for kind, graphic_ref in read_graphics(path.with_suffix(".xml").read_bytes()):
            if kind in ("figure", "scheme"):
                found = resolve_graphic(graphic_ref, index)
                resolved += bool(found)
                if not found:
                    unresolved.append((path.stem, graphic_ref))
    assert resolved > 100
    assert len(unresolved) < resolved * 0.1, unresolved
