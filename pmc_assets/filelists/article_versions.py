"""Article versions: NLM's metadata of every deposit ever seen, fetched only where the inventory says it changed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from pmc_assets.batches import article_order
from pmc_assets.filelists.inventory import read_batch
from pmc_assets.filelists.metadata import UnreadableMetadata, version_row
from pmc_assets.lake import Lake, Partition
from pmc_assets.rejects import Reject, rejects_table
from pmc_assets.results import PREVIEW_ROWS, StageResult, count_reasons
from pmc_assets.schema import RAW_ARTICLE_VERSIONS
from pmc_assets.source.source import ListedVersion, MetadataAnswer, Source

Key = tuple[str, int]
Row = dict[str, Any]


@dataclass
class _Update:
    """The rows of one batch while they are brought up to date."""

    rows: dict[Key, Row]
    now: datetime
    rejects: list[Reject] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def update_article_versions(source: Source, lake: Lake, batch: str, now: datetime) -> StageResult:
    """Bring one batch's metadata up to date with the newest inventory.

    Only new and changed keys are fetched. A vanished key is asked for once; only when it is really gone its row gets
    `removed_at`. Rows that did not change stay as they are, `fetched_at` included.
    Shape: sorted by number of PMCID and version.
    """
    partition = Partition.of(batch=batch)
    listed = {(r["pmcid"], r["version"]): r for r in read_batch(lake, batch).to_pylist()}
    before = {(r["pmcid"], r["version"]): r for r in lake.read_table(RAW_ARTICLE_VERSIONS, partition).to_pylist()}
    update = _Update(dict(before), now)
    for answer in source.read_metadata(_to_ask(listed, before)):
        key = (answer.listed.pmcid, answer.listed.version)
        if key in listed:
            _take_answer(update, answer, listed[key])
        else:
            _confirm_vanished(update, answer)
    return _publish(lake, partition, update, len(before.keys() | listed.keys()))


def _to_ask(listed: dict[Key, Row], before: dict[Key, Row]) -> Iterator[ListedVersion]:
    """Name the keys to be fetched, in the order of the table."""
    for key in sorted(listed.keys() | before.keys(), key=lambda k: article_order(*k)):
        if key in listed and _is_due(before.get(key), listed[key]):
            yield ListedVersion(*key, etag=listed[key]["etag"])
        elif key not in listed and before[key]["removed_at"] is None:
            yield ListedVersion(*key, etag=before[key]["etag"])


def _is_due(row: Row | None, inventory_row: Row) -> bool:
    """Say whether a listed key is new, changed, or listed again after its removal."""
    return row is None or row["etag"] != inventory_row["etag"] or row["removed_at"] is not None


def _take_answer(update: _Update, answer: MetadataAnswer, inventory_row: Row) -> None:
    key = (answer.listed.pmcid, answer.listed.version)
    update.counts["fetched"] += 1
    if answer.is_missing:
        if key in update.rows:
            _mark_removed(update, key)
        else:
            update.rejects.append(Reject("article_versions", "metadata_missing", *key))
        return
    try:
        if answer.fields is None:
            raise UnreadableMetadata(answer.fault)
        row = version_row(answer.fields, etag=inventory_row["etag"], modified_at=inventory_row["last_modified_at"])
        update.rows[key] = row | {"fetched_at": update.now, "removed_at": None}
    except UnreadableMetadata as error:
        if key in update.rows:
            update.counts["kept_old"] += 1
        else:
            update.rejects.append(Reject("article_versions", "metadata_unreadable", *key, detail=str(error)))


def _confirm_vanished(update: _Update, answer: MetadataAnswer) -> None:
    update.counts["confirmed"] += 1
    if answer.is_missing:
        _mark_removed(update, (answer.listed.pmcid, answer.listed.version))


def _mark_removed(update: _Update, key: Key) -> None:
    if update.rows[key]["removed_at"] is None:
        update.rows[key] = update.rows[key] | {"removed_at": update.now}
        update.counts["removed"] += 1


def _publish(lake: Lake, partition: Partition, update: _Update, listed: int) -> StageResult:
    ordered = sorted(update.rows.values(), key=lambda r: article_order(r["pmcid"], r["version"]))
    table: pa.Table = RAW_ARTICLE_VERSIONS.from_rows(ordered)
    rejects = rejects_table(update.rejects)
    lake.write_rejects("article_versions", rejects, partition)
    written = lake.write_table(RAW_ARTICLE_VERSIONS, table, partition)
    details = {name: update.counts[name] for name in ("fetched", "confirmed", "removed", "kept_old")}
    result = StageResult(listed, table.num_rows, count_reasons(rejects), preview=table.slice(0, PREVIEW_ROWS))
    result.details.update(details)
    return result.add_written(written)
