"""How stage results become materialisations: metadata, previews, checks, data versions."""

import base64
import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pyarrow as pa

from pmc_assets import markdown
from pmc_assets.lake import Lake, Partition
from pmc_assets.pictures import bars_png
from pmc_assets.results import PREVIEW_ROWS, StageResult
from pmc_assets.schema import CORE_PUBMED_RECORDS, Table, meaning_of
from pmc_assets.table_checks import count_duplicate_keys

OWNERS = ["team:pmc_assets"]
COUNTS_CHECK = "listed_is_stored_plus_rejected"
KEYS_CHECK = "keys_are_unique"
PREVIEW_CHARACTERS = 80
ARTICLE_PAGE = "https://pmc.ncbi.nlm.nih.gov/articles"
SOURCE_PAGE = "https://pmc.ncbi.nlm.nih.gov/tools/pmcaws/"
PUBMED_PAGE = "https://www.ncbi.nlm.nih.gov/books/NBK25499/"


@dataclass
class Clock:
    """Seconds since the block was entered; stands still at its end."""

    started: float
    seconds: float = 0.0


@contextlib.contextmanager
def timed() -> Iterator[Clock]:
    clock = Clock(time.perf_counter())
    yield clock
    clock.seconds = time.perf_counter() - clock.started


def asset_key(table_name: str) -> dg.AssetKey:
    return dg.AssetKey(table_name.split("."))


def column_schema(schema: pa.Schema) -> dg.TableSchema:
    """Give Dagster's column schema of an Arrow schema whose fields carry description and unit."""
    return dg.TableSchema(columns=[_table_column(f) for f in schema])


def _table_column(field: pa.Field) -> dg.TableColumn:
    return dg.TableColumn(
        field.name,
        str(field.type),
        description=meaning_of(field),
        constraints=dg.TableColumnConstraints(nullable=field.nullable),
    )


def counts_spec(
    key: dg.AssetKey, description: str = "Every listed record is stored or rejected by name"
) -> dg.AssetCheckSpec:
    """Name the blocking check of every asset that lists what it was given: listed = stored + rejected."""
    return dg.AssetCheckSpec(COUNTS_CHECK, asset=key, blocking=True, description=description)


def check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Name the two blocking checks that every table has."""
    return [
        counts_spec(key),
        dg.AssetCheckSpec(KEYS_CHECK, asset=key, blocking=True, description="No two rows share the table's key"),
    ]


def table_asset(table: Table, *, kinds: tuple[str, ...] = ("parquet",), layout: str = "") -> dict[str, Any]:
    """Give the arguments of `@dg.asset` that follow from a table's contract (without checks and partitions)."""
    return {
        "key": asset_key(table.name),
        "description": description(table, layout),
        "group_name": table.layer,
        "kinds": set(kinds),
        "owners": OWNERS,
        "metadata": table_metadata(table),
    }


def table_spec(table: Table, **arguments: Any) -> dg.AssetSpec:
    """Give the `AssetSpec` of one table of a multi-asset."""
    return dg.AssetSpec(**(table_asset(table) | arguments))


def description(table: Table, layout: str = "") -> str:
    where = "/".join(f"{column}=…" for column in table.partitioned_by)
    path = f"`{table.layer}/{table.short_name}/{where}/{table.short_name}.parquet`"
    return f"{table.row}.\n\nKey: {', '.join(table.key)}. File: {layout or path}"


def table_metadata(table: Table) -> dict[str, Any]:
    metadata: dict[str, Any] = {"dagster/column_schema": column_schema(table.arrow), "key": ", ".join(table.key)}
    if table.layer in ("raw", "core"):
        page = PUBMED_PAGE if table is CORE_PUBMED_RECORDS else SOURCE_PAGE
        metadata["nlm_documentation"] = dg.MetadataValue.url(page)
    return metadata


def materialization(
    key: dg.AssetKey,
    result: StageResult,
    lake: Lake,
    seconds: float,
    *,
    table: Table | None = None,
    partition: Partition | None = None,
    checks: tuple[dg.AssetCheckResult, ...] = (),
    metadata: Mapping[str, Any] | None = None,
) -> dg.MaterializeResult:
    """Report one stage result; with a table and partition, also check that its keys are unique."""
    results = [_counts_check(key, result), *checks]
    if table is not None and partition is not None:
        results.append(none_check(key, KEYS_CHECK, duplicate_keys=count_duplicate_keys(lake, table, partition)))
    return dg.MaterializeResult(
        asset_key=key,
        metadata={**_result_metadata(result, lake, seconds, partition), **(metadata or {})},
        data_version=dg.DataVersion(result.digest) if result.digest else None,
        check_results=results,
    )


def _result_metadata(result: StageResult, lake: Lake, seconds: float, partition: Partition | None) -> dict[str, Any]:
    row_count = "dagster/partition_row_count" if partition and partition.values else "dagster/row_count"
    metadata: dict[str, Any] = {
        row_count: result.rows,
        "listed": result.listed,
        "stored": result.stored,
        "rejected": result.rejected.total(),
        "size_bytes": result.size_bytes,
        "seconds": round(seconds, 3),
    }
    metadata |= {f"reject/{reason}": count for reason, count in sorted(result.rejected.items())}
    metadata |= result.details
    if result.paths:
        metadata["dagster/uri"] = f"{lake.url}/{result.paths[0]}"
    if result.rejected:
        metadata["rejects_by_reason"] = dg.MetadataValue.md(bar_table(result.rejected))
    if result.preview is not None and result.preview.num_rows:
        metadata["preview"] = dg.MetadataValue.md(preview(result.preview))
        if "pmcid" in result.preview.column_names:
            metadata["first_article"] = dg.MetadataValue.url(f"{ARTICLE_PAGE}/{result.preview['pmcid'][0]}/")
    return metadata


def _counts_check(key: dg.AssetKey, result: StageResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=COUNTS_CHECK,
        passed=result.is_accounted_for,
        metadata={"listed": result.listed, "stored": result.stored, "rejected": result.rejected.total()},
    )


def none_check(key: dg.AssetKey, check_name: str, **counts: int) -> dg.AssetCheckResult:
    """Report a check that passes where nothing was counted; the counts are its metadata."""
    return dg.AssetCheckResult(asset_key=key, check_name=check_name, passed=not any(counts.values()), metadata=counts)


def preview(rows: pa.Table) -> str:
    """Show the first rows as a Markdown table, long values cut."""
    head = rows.slice(0, PREVIEW_ROWS)
    return markdown.table(head.column_names, (map(_cut, row.values()) for row in head.to_pylist()))


def _cut(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…"


def bar_table(counts: Counter[str]) -> str:
    """Show counts as a Markdown table with text bars."""
    most = max(counts.values(), default=1)
    rows = ((name, f"{count:,}", "█" * max(1, 30 * count // most)) for name, count in counts.most_common())
    return markdown.table(("reason", "count", ""), rows, (markdown.LEFT, markdown.RIGHT, markdown.LEFT))


def bars(name: str, counts: Mapping[str, Any], title: str) -> dict[str, dg.MarkdownMetadataValue]:
    """Show counts as a picture of bars under a name in the metadata. Empty: {}."""
    png = bars_png(counts, title)
    return {name: picture(png)} if png else {}


def picture(png: bytes) -> dg.MarkdownMetadataValue:
    """Show a PNG (keep it under 100 kB) in the metadata."""
    return dg.MetadataValue.md(f"![](data:image/png;base64,{base64.b64encode(png).decode()})")
