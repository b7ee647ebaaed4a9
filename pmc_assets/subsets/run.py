"""One run of an export into its target: units in parallel, the manifest last. Choosing the samples stays out."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from pmc_assets.lake import CONTENTS, SAMPLE, Lake
from pmc_assets.processes import ordered
from pmc_assets.shards.plan import stem
from pmc_assets.subsets import papers
from pmc_assets.subsets.forms import IMAGES, file_sha256, write_unit
from pmc_assets.subsets.select import UNIT_OF, Selection
from pmc_assets.subsets.spec import BadSubset, SubsetSpec
from pmc_assets.subsets.units import Unit, units

MANIFEST = "manifest.json"
PARTIAL = "manifest.partial.json"
FIRST_UNIT = ("00000.tar", "00000.parquet")
ATTRIBUTION = "ATTRIBUTION.csv"
LISTS = {
    "jsonl": ("articles.jsonl", papers.write_article_lines),
    "csv": ("samples.csv", papers.write_captions),
}
"""Forms with a list that names each sample's unit."""
PAPERS = ("README.md", ATTRIBUTION, "sizes.json", *(name for name, _ in LISTS.values()))
OWN_PATHS = (*PAPERS, IMAGES, *FIRST_UNIT)
UNITS_AT_ONCE = 3  # one more than the cores of a small machine: the last ones share them
NOTE_EVERY_S = 1.0  # what a killed export copies again
NOTING_SHARE = 0.05  # of the time, at most: the note names every file
UNITS_NOTED_AHEAD = 64

Progress = Callable[[int, int], None]


class Export:
    """One run of an export: `files` is path to sha256, size and samples of every file; `units` stem to digest.

    Raises: BadSubset where the target holds somebody else's files.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        lake: Lake,
        target: Lake,
        spec: SubsetSpec,
        format: str,
        selection: Selection,
        progress: Progress | None,
    ) -> None:
        self.connection, self.lake, self.target = connection, lake, target
        self.spec, self.format, self.selection = spec, format, selection
        self.progress = progress
        self.before = _read_manifest(target, spec.name, format)
        self.files: dict[str, dict[str, Any]] = {}
        self.units: dict[str, dict[str, Any]] = {}
        self.copied_samples = self.copied_bytes = self.done = 0
        self.lock = threading.RLock()
        self.is_open = False
        self.next_note_at = 0.0
        self.changing: set[str] = set()
        self.is_resumed = "units_begun" in self.before
        self.units_begun = self.before.get("units_begun", 0)

    def run(self) -> dict[str, Any]:
        """Copy what is not there yet; give the manifest."""
        self.connection.execute(f"create table {UNIT_OF} (sample_key varchar, stem varchar)")
        ahead = 1 if self.format == "parquet" else UNITS_AT_ONCE  # Parquet asks the connection that _record uses
        with self.target.scratch() as folder:
            with ThreadPoolExecutor(UNITS_AT_ONCE) as pool:
                try:
                    for unit, files in ordered(pool, partial(self._bring, folder), self._units(folder), ahead):
                        self._record(unit, files)
                finally:
                    if self.is_open:
                        self._write_partial()
            manifest = self._manifest()
            if self.is_open or manifest != self.before or not self._are_whole(list(manifest["files"])):
                manifest = self._finish(folder)
            return manifest

    def _units(self, folder: Path) -> Iterator[Unit]:
        """Cut the units; list the attributions while the last ones are copied."""
        yield from units(self.connection.cursor(), self.format, self.selection.inputs)
        if self.is_open:
            self._write_attribution(folder)

    def _write_attribution(self, folder: Path) -> None:
        with (folder / ATTRIBUTION).open("wb") as out:
            papers.write_attribution(self.connection, self.selection.articles, out)

    def _bring(self, folder: Path, unit: Unit) -> tuple[Unit, dict[str, dict[str, Any]]]:
        """Write one unit by a scratch folder into the target, unless it is there; give its files (none: it is)."""
        known = self.before.get("units", {}).get(unit.stem, {})
        if known.get("digest") == unit.digest and self._are_whole(known["files"]):
            return unit, {}
        self._begin(unit)
        files: dict[str, dict[str, Any]] = {}
        for path, sha256 in write_unit(self.connection, self.lake, unit, self.format, folder).items():
            files[path] = self._publish(folder, path, sha256)
            (folder / path).unlink(missing_ok=True)  # an upload leaves it
        return unit, files

    def _publish(self, folder: Path, path: str, sha256: str) -> dict[str, Any]:
        """Put a file of the scratch folder into the target; give its entry in the manifest."""
        entry = {"sha256": sha256, "size_bytes": (folder / path).stat().st_size}
        self.target.publish_file(folder / path, path)
        return entry

    def _begin(self, unit: Unit) -> None:
        """Note, before a file of a unit changes, that it may: a run after a kill neither trusts nor forgets it."""
        with self.lock:
            is_trusted, is_far = unit.stem in self.before.get("units", {}), unit.number >= self.units_begun
            if is_trusted:
                self.changing.add(unit.stem)
            if is_far:
                self.units_begun = unit.number + UNITS_NOTED_AHEAD
            if not self.is_open:
                self._open()
            elif is_trusted or is_far:
                self._write_partial()
        if self.is_resumed and self.format == "csv":
            self.target.delete(f"{IMAGES}/{unit.stem}")

    def _open(self) -> None:
        """Take the manifest away before anything changes: until the end the export is partial."""
        self._write_partial()
        self.target.delete(MANIFEST)
        self.is_open = True

    def _record(self, unit: Unit, files: dict[str, dict[str, Any]]) -> None:
        if self.format in LISTS:
            self.connection.register("unit_rows", unit.rows.select(["sample_key"]))
            self.connection.execute(f"insert into {UNIT_OF} select sample_key, ? from unit_rows", [unit.stem])
            self.connection.unregister("unit_rows")
        if files:
            self.files |= files
            self.units[unit.stem] = {"digest": unit.digest, "samples": unit.rows.num_rows, "files": sorted(files)}
            self.copied_samples += unit.rows.num_rows
            self.copied_bytes += sum(entry["size_bytes"] for entry in files.values())
            if time.monotonic() > self.next_note_at:
                self._write_partial()
        else:
            self.units[unit.stem] = self.before["units"][unit.stem]
            self.files |= {path: self.before["files"][path] for path in self.units[unit.stem]["files"]}
        self.done += unit.rows.num_rows
        if self.progress:
            self.progress(self.done, self.selection.samples)

    def _are_whole(self, paths: list[str]) -> bool:
        return all(
            self.target.exists(path) and self.target.size_bytes(path) == self.before["files"][path]["size_bytes"]
            for path in paths
        )

    def _write_partial(self) -> None:
        with self.lock:
            started = time.monotonic()
            units = {
                stem: unit for stem, unit in self.before.get("units", {}).items() if stem not in self.changing
            } | self.units
            state = {
                "name": self.spec.name,
                "format": self.format,
                "files": self.before.get("files", {}) | self.files,
                "units": units,
                "units_begun": self.units_begun,
            }
            self.target.write_bytes(PARTIAL, to_json(state))
            ended = time.monotonic()
            self.next_note_at = ended + max(NOTE_EVERY_S, (ended - started) / NOTING_SHARE)

    def _finish(self, folder: Path) -> dict[str, Any]:
        if not self.is_open:
            self._open()
        for path in self._write_papers(folder):
            self.files[path] = self._publish(folder, path, file_sha256(folder / path))
        for path in set(self.before.get("files", {})) - set(self.files):
            self.target.delete(path)
        self._delete_forgotten()
        manifest = self._manifest()
        self.target.write_bytes(MANIFEST, to_json(manifest))
        self.target.delete(PARTIAL)
        return manifest

    def _delete_forgotten(self) -> None:
        """Delete units that a run before this one published, and was killed before it noted them."""
        if self.is_resumed:
            for forgotten in set(map(stem, range(self.units_begun))) - set(self.units):
                for path in (f"{forgotten}.tar", f"{forgotten}.parquet", f"{IMAGES}/{forgotten}"):
                    self.target.delete(path)

    def _write_papers(self, folder: Path) -> list[str]:
        """Write what stands beside the units into the scratch folder; give the names."""
        if not (folder / ATTRIBUTION).exists():
            self._write_attribution(folder)
        is_sample = self.lake.settings().get(CONTENTS) == SAMPLE
        card = papers.card(self.spec, self.selection, self.format, len(self.units), is_sample)
        (folder / "README.md").write_bytes(card)
        written = [ATTRIBUTION, "README.md"]
        if self.format in ("wds", "jsonl"):
            samples_of = {unit["files"][0]: unit["samples"] for unit in self.units.values()}
            (folder / "sizes.json").write_bytes(papers.sizes(samples_of))
            written.append("sizes.json")
        if self.format in LISTS:
            name, write = LISTS[self.format]
            with (folder / name).open("wb") as out:
                write(self.connection, out)
            written.append(name)
        return written

    def _manifest(self) -> dict[str, Any]:
        papers_before = {path: entry for path, entry in self.before.get("files", {}).items() if path in PAPERS}
        return {
            "name": self.spec.name,
            "meaning": self.spec.meaning,
            "sql": self.spec.sql,
            "license_groups": list(self.spec.license_groups),
            "balance": str(self.spec.balance or ""),
            "limit": self.spec.limit,
            "seed": self.spec.seed,
            "format": self.format,
            "samples": self.selection.samples,
            "articles": self.selection.articles,
            "size_bytes": self.selection.size_bytes,
            "not_in_shards": self.selection.not_in_shards,
            "counts": self.selection.by,
            "inputs": self.selection.inputs,
            "files": dict(sorted((papers_before | self.files).items())),
            "units": self.units,
        }


def _read_manifest(target: Lake, name: str, format: str) -> dict[str, Any]:
    """Read what an earlier run left: its manifest, or what it had done before it was stopped.

    Raises: BadSubset where the target holds files of somebody else, or of another subset or form, that an export would
    overwrite or delete.
    """
    for path in (PARTIAL, MANIFEST):
        if target.exists(path):
            manifest = _checked(target, path)
            held = manifest.get("name", name), manifest.get("format", format)
            if held != (name, format):
                raise BadSubset(f"{target.url} holds the subset {held[0]} as {held[1]}: give another folder")
            return manifest
    for path in OWN_PATHS:
        if target.exists(path):
            raise BadSubset(f"{target.url} has a {path} that no export of ours wrote: give a folder without it")
    return {}


def _checked(target: Lake, path: str) -> dict[str, Any]:
    try:
        manifest = json.loads(target.read_bytes(path))
        files, owned = manifest["files"], [file for unit in manifest["units"].values() for file in unit["files"]]
        is_inside = not any({"", ".", ".."} & set(file.split("/")) for file in files)
        if isinstance(files, dict) and set(owned) <= set(files) and is_inside:
            return manifest
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    raise BadSubset(f"{target.url}/{path} is no manifest of an export: give a folder without it")


def to_json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"
