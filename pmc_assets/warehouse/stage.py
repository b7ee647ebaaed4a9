"""One partition of a SQL table as a stage: derive it, publish it, check it against its header."""

from pmc_assets.lake import Lake, Partition
from pmc_assets.results import PREVIEW_ROWS, StageResult
from pmc_assets.warehouse.contract import SqlContract
from pmc_assets.warehouse.derive import derive_table, derived_table, partition_files
from pmc_assets.warehouse.engine import open_duckdb
from pmc_assets.warehouse.views import identifier, parquet_view, texts


def derive_partition(lake: Lake, contract: SqlContract, partition: Partition) -> StageResult:
    """Derive and publish one partition of a SQL table whose rows are all kept."""
    rows = derive_table(lake, contract, partition)
    written = lake.write_table(derived_table(contract), rows, partition)
    preview = rows.slice(0, PREVIEW_ROWS)
    return StageResult(listed=rows.num_rows, stored=written.rows, preview=preview).add_written(written)


def count_failures(lake: Lake, contract: SqlContract, partition: Partition) -> dict[str, int]:
    """Count the stored rows of a partition that break each check of the header; null counts as kept."""
    table = derived_table(contract)
    files = partition_files(lake, contract.name, partition)
    with open_duckdb(lake) as connection:
        connection.execute(f"create schema {identifier(table.layer)}")
        connection.execute(parquet_view(table.name, table.arrow, table.partitioned_by, texts(files)))
        counts = ", ".join(f"count(*) filter (where not ({check}))" for check in contract.checks)
        row = connection.sql(f"select {counts or 'null'} from {identifier(table.name)}").fetchall()[0]
    return dict(zip(contract.checks, row, strict=False))
