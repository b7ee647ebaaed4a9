"""Export a subset: copy its samples out of the lake's shards, with a manifest that makes the export resumable.

The manifest is written last: where it is, the export is whole. Until then `manifest.partial.json` lists what is done.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import duckdb

from pmc_assets.lake import Lake
from pmc_assets.subsets import papers
from pmc_assets.subsets.article_lines import article_lines
from pmc_assets.subsets.forms import write_unit
from pmc_assets.subsets.select import UNIT_OF, Selection, select_samples
from pmc_assets.subsets.spec import BadSubset, SubsetSpec, shipped_subsets, subset_where
from pmc_assets.subsets.units import Unit, units
from pmc_assets.warehouse.build import FILES, build_warehouse, is_current
from pmc_assets.warehouse.connection import Limits, open_connection
from pmc_assets.warehouse.guard import tables_of
from pmc_assets.warehouse.listing import Snapshot
from pmc_assets.warehouse.query import guarded

MANIFEST = "manifest.json"
PARTIAL = "manifest.partial.json"

NEEDED_TABLES = {"out.samples", "out.attributions", "raw.filelists"}

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Exported:
    """What an export holds and what this run copied. A dry run has an empty `url`."""

    name: str
    url: str
    samples: int
    articles: int
    size_bytes: int
    copied_samples: int = 0
    copied_bytes: int = 0
    not_in_shards: int = 0
    by: dict[str, dict[str, int]] = field(default_factory=dict)
    digest: str = ""


def export_subset(
    lake_url: str,
    *,
    name: str,
    where: str = "",
    format: str = "",
    to: str = "",
    license_group: tuple[str, ...] = (),
    balance: str = "",
    limit: int | None = None,
    seed: int = 0,
    dry_run: bool = False,
    progress: Progress | None = None,
    timeout_s: float | None = None,
    limits: Limits | None = None,
) -> Exported:
    """Export the samples that meet a condition, or without one the shipped subset of that name.

    `to` is any fsspec URL, by default `subsets/<name>/<format>` of the lake; `progress` is told samples done and in
    all. Raises: BadSubset, QueryError, NoWarehouse.
    """
    if where:
        spec = subset_where(
            name, where, license_groups=license_group, balance=balance, limit=limit, seed=seed, format=format or "wds"
        )
    elif name in shipped_subsets():
        spec = shipped_subsets()[name]
        if license_group or balance or limit:
            raise BadSubset(f"{name} is a shipped subset with its own choices: give a condition to choose otherwise")
    else:
        raise BadSubset(f"no shipped subset {name!r}: one of {', '.join(shipped_subsets())}; or give a condition")
    return export_spec(
        lake_url,
        spec,
        format=format or spec.formats[0],
        to=to,
        dry_run=dry_run,
        progress=progress,
        timeout_s=timeout_s,
        limits=limits,
    )


def export_spec(
    lake_url: str,
    spec: SubsetSpec,
    *,
    format: str,
    to: str = "",
    dry_run: bool = False,
    progress: Progress | None = None,
    timeout_s: float | None = None,
    limits: Limits | None = None,
) -> Exported:
    """Export one subset in one form, as `export_subset` does."""
    lake = Lake(lake_url)
    if lake.is_local and not is_current(lake):
        build_warehouse(lake)
    with open_connection(lake, limits, tables_of(spec.sql) | NEEDED_TABLES) as connection:
        snapshot = Snapshot.from_json(lake.read_bytes(FILES))
        with guarded(connection, timeout_s):
            selection = select_samples(connection, lake, spec, snapshot, with_images=format == "csv")
        if dry_run:
            return _exported(spec, "", selection)
        target = Lake(to or f"{lake.url}/subsets/{spec.name}/{format}")
        with target.lock("export"):
            return _Export(connection, lake, target, spec, format, selection, progress).run()


class _Export:
    """One run of an export: `files` is path to sha256, size and samples of every file; `units` stem to digest."""

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
        self.before = _read_manifest(target)
        self.files: dict[str, dict[str, Any]] = {}
        self.units: dict[str, dict[str, Any]] = {}
        self.copied_samples = self.copied_bytes = self.done = 0

    def run(self) -> Exported:
        self.connection.execute(f"create table {UNIT_OF} (sample_key varchar, stem varchar)")
        for unit in units(self.connection.cursor(), self.format, self.selection.inputs):
            self._export_unit(unit)
        manifest = self._manifest()
        if manifest != self.before or not self._are_whole(list(manifest["files"])):
            manifest = self._finish()
        digest = hashlib.sha256(_json(manifest)).hexdigest()
        return _exported(self.spec, self.target.url, self.selection, self.copied_samples, self.copied_bytes, digest)

    def _export_unit(self, unit: Unit) -> None:
        self.connection.register("unit_rows", unit.rows.select(["sample_key"]))
        self.connection.execute(f"insert into {UNIT_OF} select sample_key, ? from unit_rows", [unit.stem])
        self.connection.unregister("unit_rows")
        known = self.before.get("units", {}).get(unit.stem, {})
        if known.get("digest") == unit.digest and self._are_whole(known["files"]):
            self.files |= {path: self.before["files"][path] for path in known["files"]}
            self.units[unit.stem] = known
        else:
            self._copy(unit)
        self.done += unit.rows.num_rows
        if self.progress:
            self.progress(self.done, self.selection.samples)

    def _are_whole(self, paths: list[str]) -> bool:
        return all(
            self.target.exists(path) and self.target.size_bytes(path) == self.before["files"][path]["size_bytes"]
            for path in paths
        )

    def _copy(self, unit: Unit) -> None:
        if self.copied_samples == 0:
            self._write_partial()
            self.target.delete(MANIFEST)
        with self.target.scratch() as folder:
            digests = write_unit(self.connection, self.lake, unit, self.format, folder)
            for path, sha256 in digests.items():
                size_bytes = (folder / path).stat().st_size
                self.files[path] = {"sha256": sha256, "size_bytes": size_bytes}
                self.target.publish_file(folder / path, path)
                self.copied_bytes += size_bytes
        self.copied_samples += unit.rows.num_rows
        self.units[unit.stem] = {"digest": unit.digest, "samples": unit.rows.num_rows, "files": sorted(digests)}
        self._write_partial()

    def _write_partial(self) -> None:
        state = {key: self.before.get(key, {}) | getattr(self, key) for key in ("files", "units")}
        self.target.write_bytes(PARTIAL, _json(state))

    def _finish(self) -> dict[str, Any]:
        for path, content in self._papers():
            self.target.write_bytes(path, content)
            self.files[path] = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
        for path in set(self.before.get("files", {})) - set(self.files):
            self.target.delete(path)
        manifest = self._manifest()
        self.target.write_bytes(MANIFEST, _json(manifest))
        self.target.delete(PARTIAL)
        return manifest

    def _papers(self) -> list[tuple[str, bytes]]:
        written = [
            ("ATTRIBUTION.csv", papers.attribution(self.connection)),
            ("README.md", papers.card(self.spec, self.selection, self.format)),
        ]
        if self.format in ("wds", "jsonl"):
            samples_of = {unit["files"][0]: unit["samples"] for unit in self.units.values()}
            written.append(("sizes.json", papers.sizes(samples_of)))
        if self.format == "jsonl":
            written.append(("articles.jsonl", b"".join(article_lines(self.connection))))
        if self.format == "csv":
            written.append(("samples.csv", papers.captions(self.connection)))
        return written

    def _manifest(self) -> dict[str, Any]:
        papers_before = {
            path: entry
            for path, entry in self.before.get("files", {}).items()
            if not any(path in unit["files"] for unit in self.before.get("units", {}).values())
        }
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


def _read_manifest(target: Lake) -> dict[str, Any]:
    """Read what an earlier run left: its manifest, or what it had done before it was stopped."""
    for path in (PARTIAL, MANIFEST):
        if target.exists(path):
            return json.loads(target.read_bytes(path))
    return {}


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"


def _exported(
    spec: SubsetSpec, url: str, selection: Selection, copied_samples: int = 0, copied_bytes: int = 0, digest: str = ""
) -> Exported:
    return Exported(
        name=spec.name,
        url=url,
        samples=selection.samples,
        articles=selection.articles,
        size_bytes=selection.size_bytes,
        copied_samples=copied_samples,
        copied_bytes=copied_bytes,
        not_in_shards=selection.not_in_shards,
        by=selection.by,
        digest=digest,
    )
