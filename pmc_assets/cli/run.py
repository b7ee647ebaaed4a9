"""Materialise assets for their partitions, through Dagster, in processes, with a progress bar."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass

import dagster as dg
from rich.console import Console
from rich.markup import escape

from pmc_assets import schema
from pmc_assets.assets.jobs import one_partition
from pmc_assets.assets.partitions import BATCH_DIMENSION, batches, cell_key, cells
from pmc_assets.assets.sync import (
    FILELISTS_KEY,
    INVENTORY_KEY,
    due_partitions,
    sync_article_versions,
    sync_filelists,
)
from pmc_assets.cli.options import counting
from pmc_assets.cli.phases import Phase, phases
from pmc_assets.cli.worker import Outcome, materialize
from pmc_assets.filelists.inventory import inventory_batches
from pmc_assets.lake import Lake, Partition
from pmc_assets.licenses import LICENSE_GROUPS
from pmc_assets.processes import process_pool

OVER_ALL_CELLS = dg.AssetSelection.assets(["search"], ["neighbours"], ["warehouse"], ["out", "dataset_card"])


@dataclass(frozen=True, slots=True)
class Choice:
    """Which partitions a run is for; empty: all. `keys` names them outright."""

    batches: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    keys: frozenset[str] | None = None

    def check(self, known_batches: list[str]) -> None:
        """Raises: ValueError for a batch or group that there is not."""
        unknown = (set(self.batches) - set(known_batches)) | (set(self.groups) - set(LICENSE_GROUPS))
        if unknown:
            raise ValueError(
                f"no batch or licence group {', '.join(sorted(unknown))}: the groups are {', '.join(LICENSE_GROUPS)}; "
                "batches appear with raw/inventory, and `pmc-assets status` lists them"
            )


@dataclass(frozen=True, slots=True)
class Runner:
    """What runs need: the definitions, the instance that records them, the lake, and where progress is shown."""

    defs: dg.Definitions
    instance: dg.DagsterInstance
    lake: Lake
    console: Console
    jobs: int = 1

    def run(self, selection: dg.AssetSelection, choice: Choice = Choice()) -> list[Outcome]:
        """Run every phase of a selection; a failed partition costs itself, the others go on.

        Shape: one outcome per run. A later phase leaves out the partitions that failed before, and the cells of a batch
        that did; without the inventory there is none.
        Raises: ValueError for a selection of no asset, a batch or group that there is not.
        """
        if choice.batches or choice.groups:
            choice.check(lake_batches(self.lake, self.instance))
        plan = phases(self.defs, selection.required_multi_asset_neighbors())
        if not plan:
            raise ValueError("no asset of that selection: `pmc-assets ui` shows the keys, such as core/images")
        outcomes: list[Outcome] = []
        with counting(self.console, disable=not self.console.is_terminal) as progress, _pool(self.jobs) as pool:
            for phase in plan:
                failed = {outcome.partition_key for outcome in outcomes if not outcome.is_success} - {None}
                keys = [key for key in self._partition_keys(phase, choice) if failed.isdisjoint(_concerned(key))]
                task = progress.add_task(_title(phase), total=len(keys))
                for outcome in _run_phase(pool, phase, keys):
                    outcomes.append(outcome)
                    progress.advance(task)
                    if not outcome.is_success:
                        progress.console.print(f"[red]failed[/] {outcome.partition_key or ''} {escape(outcome.error)}")
                if not self.console.is_terminal:
                    self.console.print(f"{_title(phase)}: {len(keys)} runs")
                if INVENTORY_KEY in phase.keys and not outcomes[-1].is_success:
                    break
        return outcomes

    def sync(self) -> list[Outcome]:
        """Take today's inventory, then run just the partitions that it concerns, and what all partitions make."""
        outcomes = self.run(dg.AssetSelection.assets(INVENTORY_KEY))
        if not all(outcome.is_success for outcome in outcomes):
            return outcomes
        for job in (sync_article_versions, sync_filelists, one_partition):
            due = frozenset(one.partition_key for one in due_partitions(self.instance) if one.job_name == job.name)
            if due:
                outcomes += self.run(job.selection, Choice(keys=due))
        if len(outcomes) > 1:
            outcomes += self.run(OVER_ALL_CELLS)
        return outcomes

    def _partition_keys(self, phase: Phase, choice: Choice) -> list[str | None]:
        """List the partitions of a phase; after the file lists, cells that have no article are left out."""
        if phase.partitions_def is None:
            return [None]
        if choice.keys is not None:
            return list(sorted(choice.keys))
        chosen = [b for b in lake_batches(self.lake, self.instance) if not choice.batches or b in choice.batches]
        if phase.partitions_def == batches:
            return list(chosen)
        if phase.partitions_def != cells:
            raise ValueError(f"no rule for the partitions {phase.partitions_def}")
        groups = choice.groups or LICENSE_GROUPS
        if FILELISTS_KEY in phase.keys:
            return [cell_key(batch, group) for batch in chosen for group in groups]
        with_articles = cells_with_articles(self.lake, self.instance, chosen)
        return [key for key in with_articles if key.keys_by_dimension["license_group"] in groups]


def _concerned(key: str | None) -> tuple[str | None, ...]:
    """Give a partition, and of a cell its batch."""
    return (key, key.keys_by_dimension[BATCH_DIMENSION]) if isinstance(key, dg.MultiPartitionKey) else (key,)


def _run_phase(pool: ProcessPoolExecutor, phase: Phase, keys: Iterable[str | None]) -> Iterator[Outcome]:
    for future in as_completed([pool.submit(materialize, phase.keys, key) for key in keys]):
        yield future.result()


def lake_batches(lake: Lake, instance: dg.DagsterInstance) -> list[str]:
    """List the batches that the instance knows and this lake has: an instance may have seen other lakes."""
    known = instance.get_dynamic_partitions(BATCH_DIMENSION)
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


def _pool(jobs: int) -> AbstractContextManager[ProcessPoolExecutor]:
    os.environ.setdefault("PMC_WORKERS", str(max(1, (os.cpu_count() or 1) // jobs)))
    return process_pool(jobs)
