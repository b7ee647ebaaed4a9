"""File lists: the open access versions on offer, per licence group, with the version to use marked."""

from typing import Any

import pyarrow as pa

from pmc_assets.batches import article_order
from pmc_assets.lake import Lake, Partition
from pmc_assets.licenses import LICENSE_GROUPS
from pmc_assets.rejects import Reject, rejects_table
from pmc_assets.results import PREVIEW_ROWS, StageResult, count_reasons
from pmc_assets.schema import RAW_ARTICLE_VERSIONS, RAW_FILELISTS

Listed = tuple[pa.Table, list[Reject]]


def make_filelists(versions: pa.Table) -> dict[str, Listed]:
    """Make the file list of every licence group from rows of `raw.article_versions`.

    Left out, in the group of their licence code: versions that are not open access, and removed ones.
    Preferred, among all groups: published before manuscript, then the highest number.
    Shape: sorted by number of PMCID and version. Empty: the empty table for a group without versions.
    """
    rows = sorted(versions.to_pylist(), key=lambda r: article_order(r["pmcid"], r["version"]))
    preferred = _preferred_versions([r for r in rows if _reason(r) is None])
    return {group: _list_group([r for r in rows if r["license_group"] == group], preferred) for group in LICENSE_GROUPS}


def write_filelists(lake: Lake, batch: str) -> dict[str, StageResult]:
    """Write the file lists of the three licence groups of one batch."""
    versions = lake.read_table(RAW_ARTICLE_VERSIONS, Partition.of(batch=batch))
    return {
        group: _write(lake, Partition.of(license_group=group, batch=batch), *listed)
        for group, listed in make_filelists(versions).items()
    }


def _write(lake: Lake, partition: Partition, rows: pa.Table, rejects: list[Reject]) -> StageResult:
    left_out = rejects_table(rejects)
    lake.write_rejects("filelists", left_out, partition)
    result = StageResult(
        listed=rows.num_rows + len(rejects),
        stored=rows.num_rows,
        rejected=count_reasons(left_out),
        details={"preferred": sum(rows["is_preferred"].to_pylist())},
        preview=rows.slice(0, PREVIEW_ROWS),
    )
    return result.add_written(lake.write_table(RAW_FILELISTS, rows, partition))


def _reason(row: dict[str, Any]) -> str | None:
    """Say why a version is not on offer; None if it is."""
    if row["removed_at"] is not None:
        return "removed"
    return None if row["is_pmc_openaccess"] else "not_open_access"


def _preferred_versions(rows: list[dict[str, Any]]) -> set[tuple[str, int]]:
    best: dict[str, dict[str, Any]] = {}
    for row in rows:
        other = best.get(row["pmcid"])
        if other is None or _rank(row) > _rank(other):
            best[row["pmcid"]] = row
    return {(row["pmcid"], row["version"]) for row in best.values()}


def _rank(row: dict[str, Any]) -> tuple[bool, int]:
    return not row["is_manuscript"], row["version"]


def _list_group(rows: list[dict[str, Any]], preferred: set[tuple[str, int]]) -> Listed:
    offered = [r | {"is_preferred": (r["pmcid"], r["version"]) in preferred} for r in rows if _reason(r) is None]
    rejects = [
        Reject("filelists", reason, row["pmcid"], row["version"])
        for row in rows
        if (reason := _reason(row)) is not None
    ]
    return RAW_FILELISTS.from_rows(offered), rejects
