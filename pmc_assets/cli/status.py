"""What is in the lake, what is missing and what was left out, as tables for the terminal."""

import dagster as dg
import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from pmc_assets.assets.partitions import cells
from pmc_assets.cli.run import cells_with_articles, lake_batches
from pmc_assets.lake import Lake
from pmc_assets.warehouse.catalog import all_tables
from pmc_assets.warehouse.connection import open_connection
from pmc_assets.warehouse.formats import shown

BATCHES_SHOWN = 20
REJECTS_SQL = "select stage, reason, count(*) as records from core.rejects group by all order by all"


def print_status(lake: Lake, defs: dg.Definitions, instance: dg.DagsterInstance, console: Console) -> None:
    """Print rows per table, rejects by stage and reason, the batches, and partitions without a materialisation."""
    print_summary(lake, console)
    console.print(listed_batches(lake_batches(lake, instance)), highlight=False)
    missing = missing_partitions(lake, defs, instance)
    if missing:
        table = RichTable("asset", "partitions missing", title="Missing")
        for name, keys in missing.items():
            table.add_row(name, f"{len(keys)}: {', '.join(sorted(keys)[:3])}{' …' if len(keys) > 3 else ''}")
        console.print(table)
    else:
        console.print("Nothing is missing: every batch was run, every asset has every partition with articles.")


def listed_batches(names: list[str]) -> str:
    """Name the batches of a lake, the first of many. Empty: says so."""
    more = f" and {len(names) - BATCHES_SHOWN:,} more" if len(names) > BATCHES_SHOWN else ""
    return f"Batches: {', '.join(names[:BATCHES_SHOWN]) or 'none that this instance knows'}{more}"


def print_summary(lake: Lake, console: Console) -> None:
    """Print rows per table of the files that are there, and the rejects."""
    with open_connection(lake, is_listed=True) as connection:
        names = sorted(all_tables())
        console.print(lake.url, style="italic", markup=False, highlight=False, soft_wrap=True)
        table = RichTable("table", "rows")
        for name in names:
            ((rows,),) = connection.execute(f"select count(*) from {name}").fetchall()
            table.add_row(name, f"{rows:,}")
        console.print(table)
        console.print(rich_table(connection.sql(REJECTS_SQL).to_arrow_table(), "Left out, by stage and reason"))


def rich_table(rows: pa.Table, title: str = "") -> RichTable:
    """Show an Arrow table in the terminal; numbers to the right."""
    table = RichTable(title=title)
    for field in rows.schema:
        is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        table.add_column(field.name, justify="right" if is_number else "left", overflow="fold")
    for row in rows.to_pylist():
        cells = (f"{value:,}" if type(value) is int else shown(value) for value in row.values())
        table.add_row(*map(escape, cells))
    return table


def missing_partitions(lake: Lake, defs: dg.Definitions, instance: dg.DagsterInstance) -> dict[str, list[str]]:
    """List, by asset, the batches of the inventory and the cells with articles that have no materialisation.

    Empty: {} when nothing is missing.
    """
    of_batches, wanted = set(lake_batches(lake, instance)), set(map(str, cells_with_articles(lake, instance)))
    graph = defs.resolve_asset_graph()
    missing: dict[str, list[str]] = {}
    for key in graph.toposorted_asset_keys:
        node = graph.get(key)
        if not node.is_materializable:
            continue
        if node.partitions_def is None:
            absent = [] if instance.get_latest_materialization_event(key) else ["not partitioned"]
        else:
            made = instance.get_materialized_partitions(key)
            absent = sorted((wanted if node.partitions_def == cells else of_batches) - made)
        if absent:
            missing[key.to_user_string()] = absent
    return missing
