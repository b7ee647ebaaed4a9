"""Export a subset: copy its samples out of the lake's shards, with a manifest that makes the export resumable.

The manifest is written last: where it is, the export is whole. Until then `manifest.partial.json` lists what is done.
"""

import hashlib
from dataclasses import dataclass

from pmc_assets.lake import Lake
from pmc_assets.subsets.run import Export, Progress, to_json
from pmc_assets.subsets.select import Selection, select_samples
from pmc_assets.subsets.spec import FORMATS, BadSubset, SubsetSpec, require_known, shipped_subsets, subset_where
from pmc_assets.warehouse.build import FILES, build_warehouse, is_current
from pmc_assets.warehouse.connection import Limits, check_warehouse, open_connection
from pmc_assets.warehouse.guard import tables_of
from pmc_assets.warehouse.listing import Snapshot
from pmc_assets.warehouse.watch import Abandon, guarded

NEEDED_TABLES = {"out.samples", "out.attributions", "raw.filelists"}


@dataclass(frozen=True, kw_only=True)
class Exported(Selection):
    """What an export holds and what this run copied. A dry run has an empty `url`."""

    name: str
    url: str = ""
    copied_samples: int = 0
    copied_bytes: int = 0
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
    abandon: Abandon | None = None,
    limits: Limits | None = None,
) -> Exported:
    """Export the samples that meet a condition, or without one the shipped subset of that name.

    `to` is any fsspec URL, by default `subsets/<name>/<format>` of the lake; `progress` is told samples done and in
    all. Raises: BadSubset, QueryError, NoWarehouse.
    """
    if where and name in shipped_subsets():
        raise BadSubset(f"{name} is a shipped subset: give the samples of a condition another name")
    if where:
        spec = subset_where(
            name, where, license_groups=license_group, balance=balance, limit=limit, seed=seed, format=format or "wds"
        )
    elif name in shipped_subsets():
        spec = shipped_subsets()[name]
        if license_group or balance or limit or seed:
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
        abandon=abandon,
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
    abandon: Abandon | None = None,
    limits: Limits | None = None,
) -> Exported:
    """Export one subset in one form, as `export_subset` does."""
    require_known("format", (format,), FORMATS)
    lake = Lake(lake_url)
    if lake.is_local:
        check_warehouse(lake)
        if not is_current(lake):
            build_warehouse(lake)
    with open_connection(lake, limits, tables_of(spec.sql) | NEEDED_TABLES) as connection:
        snapshot = Snapshot.from_json(lake.read_bytes(FILES))
        with guarded(connection, timeout_s, abandon=abandon):
            selection = select_samples(connection, lake, spec, snapshot, with_images=format == "csv")
        if dry_run:
            return Exported(**vars(selection), name=spec.name)
        target = Lake(to or f"{lake.url}/subsets/{spec.name}/{format}")
        with target.lock("export"):
            export = Export(connection, lake, target, spec, format, selection, progress)
            digest = hashlib.sha256(to_json(export.run())).hexdigest()
            return Exported(
                **vars(selection),
                name=spec.name,
                url=target.url,
                copied_samples=export.copied_samples,
                copied_bytes=export.copied_bytes,
                digest=digest,
            )
