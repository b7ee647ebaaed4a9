"""Views over a table's Parquet files, as DuckDB SQL text. Which files there are, and running the SQL, stay out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import pyarrow as pa

from pmc_assets.schema import PARTITION_COLUMNS, Table, meaning_of

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


def texts(values: Iterable[str]) -> str:
    """Give a SQL list of texts. Empty: "" for none, as `parquet_view` takes it."""
    return f"[{listed}]" if (listed := ", ".join(map(literal, values))) else ""


def meanings(table: Table) -> dict[str, str]:
    """Give the meaning of every column of a table's view: the contract's in order, then the hive columns."""
    described = {field.name: meaning_of(field) for field in table.columns}
    return described | {name: PARTITION_COLUMNS[name] for name in table.partitioned_by if name not in described}


def comments(name: str, row: str, key: Sequence[str], columns: Mapping[str, str]) -> Iterator[str]:
    """Give the SQL that says on a view what its row and each of its columns mean."""
    said = f"{row}. Key: {', '.join(key)}."
    yield f"comment on view {identifier(name)} is {literal(said)}"
    for column, meaning in columns.items():
        yield f"comment on column {identifier(name)}.{identifier(column)} is {literal(meaning)}"


def parquet_view(
    name: str,
    columns: pa.Schema,
    hive_columns: Sequence[str],
    files: str,
    from_filename: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Give `create view` over hive-partitioned files: the contract's columns in order, then the hive columns.

    `files` is a SQL expression: one path (a glob), or a list of paths. The types come from the contract, so opening
    the view reads no file; a column that a file lacks reads as null. A filter on a hive column skips files.
    `from_filename` gives columns of the contract that are SQL expressions over the file's name.
    Empty: with `files` empty, a view without rows of the same columns and types.
    """
    types = {f.name: duckdb_type(f.type) for f in columns}
    hive = [column for column in hive_columns if column not in types]
    if not files:
        nulls = [f"null::{type_} as {identifier(c)}" for c, type_ in (types | dict.fromkeys(hive, "VARCHAR")).items()]
        return f"create view {identifier(name)} as select {', '.join(nulls)} where false"
    shape = ", ".join(
        f"{literal(c)}: {{name: {literal(c)}, type: {literal(type_)}, default_value: null}}"
        for c, type_ in types.items()
        if c not in from_filename
    )
    named = {c: f"{expression} as {identifier(c)}" for c, expression in from_filename.items()}
    selected = [named.get(c, identifier(c)) for c in types] + [
        f"{_hive_value(name, c)} as {identifier(c)}" for c in hive
    ]
    return (
        f"create view {identifier(name)} as select {', '.join(selected)}\n"
        f"from read_parquet({files}, filename = true, schema = map {{{shape}}})"
    )


def _hive_value(table_name: str, column: str) -> str:
    folder = table_name.replace(".", "/")
    return f"regexp_extract(filename, {literal(f'/{folder}/(?:.*/)?{column}=([^/]*)/')}, 1)"
