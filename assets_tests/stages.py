"""The stages of raw/ one after the other, without Dagster, as tests run them."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from typing import Any

from pmc_assets import schema
from pmc_assets.filelists.article_versions import update_article_versions
from pmc_assets.filelists.filelists import write_filelists
from pmc_assets.filelists.inventory import inventory_batches, take_inventory
from pmc_assets.lake import NO_VALUE, Lake, Partition
from pmc_assets.licenses import LICENSE_GROUPS
from pmc_assets.packages.store import store_packages
from pmc_assets.results import StageResult
from pmc_assets.source.open import open_source
from pmc_assets.source.source import Source

BATCH_IDS = 10_000
NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)


@dataclass
class Synced:
    """Results by partition of one pass over everything."""

    versions: dict[str, StageResult] = field(default_factory=dict)
    filelists: dict[tuple[str, str], StageResult] = field(default_factory=dict)
    packages: dict[tuple[str, str], StageResult] = field(default_factory=dict)


def sync(
    source: Source,
    lake: Lake,
    now: datetime = NOW,
    part_bytes: int = 2**28,
    batches: list[str] | None = None,
    max_shrink: float = 0.02,
) -> Synced:
    """Run every stage of raw/ for all partitions, or those of some batches."""
    take_inventory(source, lake, BATCH_IDS, max_shrink)
    synced = Synced()
    for batch in sorted(inventory_batches(lake)) if batches is None else batches:
        synced.versions[batch] = update_article_versions(source, lake, batch, now)
        for group, result in write_filelists(lake, batch).items():
            synced.filelists[batch, group] = result
        for group in LICENSE_GROUPS:
            cell = Partition.of(license_group=group, batch=batch)
            synced.packages[batch, group] = store_packages(source, lake, cell, part_bytes=part_bytes)
    return synced


@contextlib.contextmanager
def opened(url: str | Path, **options: Any) -> Iterator[Source]:
    """Open a source for a block; keywords are those of `open_source`."""
    with contextlib.closing(open_source(str(url), **options)) as source:
        yield source


def stored_rows(lake: Lake, batch: str, group: str) -> list[dict]:
    return lake.read_table(schema.RAW_PACKAGES, Partition.of(license_group=group, batch=batch)).to_pylist()


def rejects_of(lake: Lake, stage: str, **partition: str) -> list[tuple]:
    """Give (reason, pmcid, name) of a stage's rejects."""
    cell = Partition.of(**({"license_group": NO_VALUE, "batch": NO_VALUE} | partition))
    rows = lake.read_table(schema.CORE_REJECTS, cell, stem=stage).to_pylist()
    return [(row["reason"], row["pmcid"], row["name"]) for row in rows]


def assert_bytes_are_right(lake: Lake, rows: list[dict]) -> None:
    """Every stored file's bytes are where its row says, and have its md5."""
    assert rows
    for row in rows:
        content = lake.read_bytes(row["part_path"], row["offset_bytes"], row["size_bytes"])
        assert md5(content).hexdigest() == row["md5"], row["name"]


def files_of(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
