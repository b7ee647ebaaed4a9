"""Derive one partition of a SQL table: its query over just that partition's files. Publishing it stays out."""

from functools import cache

import duckdb
import pyarrow as pa

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.warehouse.contract import SqlContract, find_contract
from pmc_assets.warehouse.engine import open_duckdb
from pmc_assets.warehouse.views import identifier, parquet_view, texts

LAYERS = ("raw", "core", "out", "models")


class ContractMismatch(ValueError):
    """A query's columns are not those that its header promises."""


def derive_table(lake: Lake, contract: SqlContract, partition: Partition, pmcids: range | None = None) -> pa.Table:
    """Run a contract's query over one partition of everything it depends on.

    `pmcids` narrows the tables that have a PMCID in their key to articles whose number is in that range.

    Shape: the header's columns in its order, meanings and units as field metadata; rows as the query orders them.
    Empty: an absent partition of a dependency reads as its empty table.
    Raises: ContractMismatch when the query's columns differ from the header; duckdb.Error when it does not run.
    """
    with open_duckdb(lake) as connection:
        files = {name: partition_files(lake, name, partition) for name in contract.depends}
        return _run(connection, contract, files, pmcids)


def partition_files(lake: Lake, table_name: str, partition: Partition) -> list[str]:
    """List one partition's Parquet files of a table as DuckDB opens them; hive columns it does not name match all."""
    values = dict(partition.values)
    layer, short_name = table_name.split(".")
    folders = [f"{column}={values.get(column, '*')}" for column in find_table(table_name).partitioned_by]
    lake.fs.invalidate_cache()
    found = lake.fs.glob(lake.full_path("/".join([layer, short_name, *folders, "*.parquet"])))
    return sorted(str(path) if lake.is_local else lake.fs.unstrip_protocol(path) for path in found)


def find_table(name: str) -> schema.Table:
    """Give any table's contract: of `schema.py`, or of the SQL file that derives it.

    Raises: BadContract when neither knows the table.
    """
    return schema.TABLES[name] if name in schema.TABLES else derived_table(find_contract(name))


@cache
def derived_table(contract: SqlContract) -> schema.Table:
    """Give a SQL contract as a table of the lake; types are those of the query over empty tables."""
    with duckdb.connect(config={"threads": 1}) as connection:
        shape = _run(connection, contract, {name: [] for name in contract.depends}).schema
    return schema.Table(contract.name, contract.row, contract.key, tuple(shape), contract.partitioned_by)


def _run(
    connection: duckdb.DuckDBPyConnection,
    contract: SqlContract,
    files_of: dict[str, list[str]],
    pmcids: range | None = None,
) -> pa.Table:
    for layer in LAYERS:
        connection.execute(f"create schema {identifier(layer)}")
    for name, paths in files_of.items():
        table = find_table(name)
        view = parquet_view(name, table.arrow, table.partitioned_by, texts(paths))
        if pmcids is not None and paths and "pmcid" in table.key:
            view += f"\nwhere pmcid[4:]::bigint >= {pmcids.start} and pmcid[4:]::bigint < {pmcids.stop}"
        connection.execute(view)
    result = connection.sql(contract.sql).to_arrow_table()
    if result.column_names != list(contract.columns):
        raise ContractMismatch(f"{contract.name}: {_difference(result.column_names, list(contract.columns))}")
    fields = [_described(contract, field) for field in result.schema]
    metadata = {"description": contract.row, "key": ",".join(contract.key)}
    return result.cast(pa.schema(fields, metadata=metadata))


def _described(contract: SqlContract, field: pa.Field) -> pa.Field:
    unit = contract.units.get(field.name, "")
    required = field.name in (*contract.key, *contract.required)
    return schema.column(field.name, field.type, contract.columns[field.name], unit=unit, required=required)


def _difference(actual: list[str], header: list[str]) -> str:
    extra = [column for column in actual if column not in header]
    missing = [column for column in header if column not in actual]
    if extra or missing:
        return f"the query gives {extra or 'nothing'} beyond the header and lacks {missing or 'nothing'} of it"
    return f"the query's columns are in the order {actual}, the header's in {header}"
