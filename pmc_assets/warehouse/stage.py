"""One partition of a SQL table as a stage: derive it, check it, publish it with its rejects."""

from collections import Counter
from functools import cache

import duckdb
import pyarrow as pa

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.results import PREVIEW_ROWS, StageResult, count_reasons
from pmc_assets.warehouse.contract import SqlContract, read_contracts, sql_folder
from pmc_assets.warehouse.derive import derive_table, derived_table, find_table


@cache
def reject_contracts() -> dict[str, SqlContract]:
    """Read `sql/rejects/*.sql` by the table that each says it is `of`."""
    return {contract.entries["of"]: contract for contract in read_contracts(sql_folder() / "rejects", "rejects")}


def derive_partition(lake: Lake, contract: SqlContract, partition: Partition) -> tuple[StageResult, dict[str, int]]:
    """Derive and publish one partition of a SQL table, and its rejects where `sql/rejects` says which.

    Shape: the result, and for each check of the header the number of rows that break it. Listed are the rows of the
    table that the rejects' header names as `listed`, else the derived rows.
    """
    table = derived_table(contract)
    rows = derive_table(lake, contract, partition)
    result = StageResult(listed=rows.num_rows, stored=rows.num_rows, preview=rows.slice(0, PREVIEW_ROWS))
    if contract.name in reject_contracts():
        result.rejected = _write_rejects(lake, contract, partition)
        result.listed = _count_listed(lake, reject_contracts()[contract.name], partition)
    return result.add_written(lake.write_table(table, rows, partition)), count_failures(rows, contract)


def count_failures(rows: pa.Table, contract: SqlContract) -> dict[str, int]:
    """Count the rows that break each check of the header; null counts as kept."""
    with duckdb.connect() as connection:
        connection.register("derived", rows)
        return {
            check: connection.sql(f"select count(*) from derived where not ({check})").fetchall()[0][0]
            for check in contract.checks
        }


def _write_rejects(lake: Lake, contract: SqlContract, partition: Partition) -> Counter[str]:
    derived = derive_table(lake, reject_contracts()[contract.name], partition)
    rejects = schema.CORE_REJECTS.from_rows(derived.to_pylist())
    lake.write_rejects(contract.name.split(".")[1], rejects, partition)
    return count_reasons(rejects)


def _count_listed(lake: Lake, rejects_contract: SqlContract, partition: Partition) -> int:
    listed = find_table(rejects_contract.entries["listed"])
    return lake.read_table(listed, partition, columns=[listed.key[0]]).num_rows
