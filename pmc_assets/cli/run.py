"""Materialise assets for their partitions, through Dagster, in processes, with a progress bar."""

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pmc_assets import schema
from pmc_assets.assets.partitions import batches, cell_key, cells
from pmc_assets.cli.phases import Phase, phases
from pmc_assets.cli.worker import Outcome, materialize
from pmc_assets.filelists.inventory import inventory_batches
from pmc_assets.lake import Lake, Partition
from pmc_assets.licenses import LICENSE_GROUPS


def run(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    lake: Lake,
    console: Console,
    *,
    select: str = "*",
    only_batches: tuple[str, ...] = (),
    only_groups: tuple[str, ...] = (),
    jobs: int = 1,
) -> list[Outcome]:
    """Run every phase of a selection; a failed partition costs itself, the others go on.

    Returns one outcome per run. A later phase leaves out the partitions that failed before.
    """
    selection = dg.AssetSelection.from_string(select).required_multi_asset_neighbors()
    outcomes: list[Outcome] = []
    failed: set[str] = set()
    with _progress(console) as progress, _pool(jobs) as pool:
        for phase in phases(defs, selection):
            keys = [
                key for key in _partition_keys(phase, instance, lake, only_batches, only_groups) if key not in failed
            ]
            task = progress.add_task(_title(phase), total=len(keys))
            for outcome in _run_phase(pool, phase, keys):
                outcomes.append(outcome)
                progress.advance(task)
                if not outcome.is_success:
                    failed.add(outcome.partition_key or "")
                    progress.console.print(f"[red]failed[/] {outcome.partition_key or ''} {outcome.error}")
    return outcomes


def _run_phase(pool: ProcessPoolExecutor, phase: Phase, keys: Iterable[str | None]) -> Iterator[Outcome]:
    for future in as_completed([pool.submit(materialize, phase.keys, key) for key in keys]):
        yield future.result()


def _partition_keys(
    phase: Phase, instance: dg.DagsterInstance, lake: Lake, only_batches: tuple[str, ...], only_groups: tuple[str, ...]
) -> list[str | None]:
    """List the partitions of a phase; after the file lists, cells that have no article are left out."""
    if phase.partitions_def is None:
        return [None]
    chosen = [batch for batch in lake_batches(lake, instance) if not only_batches or batch in only_batches]
    if phase.partitions_def == batches:
        return list(chosen)
    if phase.partitions_def != cells:
        raise ValueError(f"no rule for the partitions {phase.partitions_def}")
    groups = tuple(group for group in LICENSE_GROUPS if not only_groups or group in only_groups)
    if dg.AssetKey(["raw", "filelists"]) in phase.keys:
        return [cell_key(batch, group) for batch in chosen for group in groups]
    return [
        key for key in cells_with_articles(lake, instance, chosen) if key.keys_by_dimension["license_group"] in groups
    ]


def lake_batches(lake: Lake, instance: dg.DagsterInstance) -> list[str]:
    """List the batches that the instance knows and this lake has: an instance may have seen other lakes."""
    known = instance.get_dynamic_partitions(batches.name)
    return sorted(set(known) & inventory_batches(lake))


def cells_with_articles(
    lake: Lake, instance: dg.DagsterInstance, of_batches: list[str] | None = None
) -> list[dg.MultiPartitionKey]:
    """List the cells that have articles on offer, or stored ones that have to go."""
    chosen = lake_batches(lake, instance) if of_batches is None else of_batches
    return [cell_key(batch, group) for batch in chosen for group in LICENSE_GROUPS if _has_articles(lake, batch, group)]


def _has_articles(lake: Lake, batch: str, group: str) -> bool:
    partition = Partition.of(license_group=group, batch=batch)
    return any(lake.exists(lake.table_path(t.name, partition)) for t in (schema.RAW_FILELISTS, schema.RAW_PACKAGES))


def _title(phase: Phase) -> str:
    names = sorted(key.path[-1] for key in phase.keys)
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(names)} assets)"


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def _pool(jobs: int) -> ProcessPoolExecutor:
    os.environ.setdefault("PMC_WORKERS", str(max(1, (os.cpu_count() or 1) // jobs)))
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
