"""Views over a table's Parquet files, as DuckDB SQL text. Which files there are, and running the SQL, stay out."""

from collections.abc import Sequence

import pyarrow as pa

_TYPES = {
    pa.string(): "VARCHAR",
    pa.large_string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT",
    pa.float16(): "FLOAT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
}


def identifier(name: str) -> str:
    """Quote a name for SQL; the dot of `<layer>.<table>` separates."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def duckdb_type(type_: pa.DataType) -> str:
    """Name the DuckDB type that a Parquet column of this Arrow type is read as.

    Raises: TypeError for a type that no table of ours has.
    """
    if type_ in _TYPES:
        return _TYPES[type_]
    if pa.types.is_timestamp(type_):
        return "TIMESTAMPTZ" if type_.tz else "TIMESTAMP"
    if pa.types.is_list(type_) or pa.types.is_fixed_size_list(type_):
        return duckdb_type(type_.value_type) + "[]"
    if pa.types.is_struct(type_):
        return "STRUCT(" + ", ".join(f"{identifier(f.name)} {duckdb_type(f.type)}" for f in type_) + ")"
    if pa.types.is_map(type_):
        return f"MAP({duckdb_type(type_.key_type)}, {duckdb_type(type_.item_type)})"
    raise TypeError(f"no DuckDB type is known for Arrow's {type_}")


def parquet_view(name: str, schema: pa.Schema, hive_columns: Sequence[str], files: Sequence[str]) -> str:
    """Give `create view` over hive-partitioned files: the contract's columns in order, then the hive columns.

    Columns that no file holds read as null. Empty: a view without rows of the same columns and types.
    """
    columns = {f.name: duckdb_type(f.type) for f in schema}
    columns |= {hive: "VARCHAR" for hive in hive_columns if hive not in columns}
    if not files:
        nulls = ", ".join(f"null::{type_} as {identifier(column)}" for column, type_ in columns.items())
        return f"create view {identifier(name)} as select {nulls} where false"
    hive = ", ".join(f"{identifier(column)}: 'VARCHAR'" for column in hive_columns)
    partitioning = f"hive_partitioning = true, hive_types = {{{hive}}}" if hive else "hive_partitioning = false"
    source = f"read_parquet([{', '.join(map(literal, files))}], union_by_name = true, {partitioning})"
    shape = f"select {', '.join(f'null::{t} as {identifier(c)}' for c, t in columns.items())} where false"
    selected = ", ".join(identifier(column) for column in columns)
    return f"create view {identifier(name)} as select {selected} from ({shape} union all by name from {source})"
