"""A derived partition: header order, descriptions, absent dependencies, mismatches."""

import fsspec
import pyarrow as pa
import pytest

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.warehouse.contract import BadContract, parse_contract
from pmc_assets.warehouse.derive import LAYERS, ContractMismatch, derive_table, derived_table

CELL = Partition.of(license_group="commercial", batch="PMC00000xxxx")
OTHER = Partition.of(license_group="commercial", batch="PMC00001xxxx")
HEADER = """-- One row per figure with a mention.
-- depends: core.figures, core.mentions
-- column: pmcid | PMC's id
-- column: figure_index | position
-- column: length_chars | length of the caption [characters]
-- column: batch | block
-- key: pmcid, figure_index
"""
QUERY = """select f.pmcid, f.figure_index, length(f.caption)::int as length_chars, f.batch
from core.figures f left join core.mentions m using (pmcid, version, figure_index) order by all"""


def figures(pmcid: str, captions: list[str]) -> pa.Table:
    rows = [
        {"pmcid": pmcid, "version": 1, "figure_index": i, "kind": "figure", "caption": caption}
        for i, caption in enumerate(captions)
    ]
    return schema.CORE_FIGURES.from_rows(rows)


@pytest.fixture(params=["file", "memory"])
def lake(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Lake(str(tmp_path / "lake") if request.param == "file" else f"memory://derive-{tmp_path.name}")
    made.write_table(schema.CORE_FIGURES, figures("PMC7", ["a", "bcd"]), CELL)
    made.write_table(schema.CORE_FIGURES, figures("PMC10007", ["other"]), OTHER)
    yield made
    if request.param == "memory":
        fsspec.filesystem("memory").rm(made.root, recursive=True)


def test_only_the_partition_is_read_and_columns_carry_the_header(lake):
    contract = parse_contract("out.lengths", HEADER + QUERY)
    table = derive_table(lake, contract, CELL)
    assert table.to_pylist() == [
        {"pmcid": "PMC7", "figure_index": 0, "length_chars": 1, "batch": "PMC00000xxxx"},
        {"pmcid": "PMC7", "figure_index": 1, "length_chars": 3, "batch": "PMC00000xxxx"},
    ]
    assert table.schema.field("length_chars").metadata[b"unit"] == b"characters"
    assert table.schema.field("pmcid").metadata[b"description"] == b"PMC's id"
    assert not table.schema.field("pmcid").nullable and table.schema.metadata[b"key"] == b"pmcid,figure_index"


def test_absent_partition_gives_the_empty_table_of_the_same_schema(lake):
    contract = parse_contract("out.lengths", HEADER + QUERY)
    empty = derive_table(lake, contract, Partition.of(license_group="other", batch="PMC00000xxxx"))
    assert empty.num_rows == 0
    assert empty.schema.equals(derive_table(lake, contract, CELL).schema, check_metadata=True)
    assert derived_table(contract).arrow.equals(empty.schema, check_metadata=True)


@pytest.mark.parametrize(
    "query",
    [QUERY.replace("as length_chars", "as chars"), QUERY.replace("f.pmcid, f.figure_index", "f.figure_index, f.pmcid")],
)
def test_columns_that_differ_from_the_header_are_a_named_error(lake, query):
    with pytest.raises(ContractMismatch, match="out.lengths: the query"):
        derive_table(lake, parse_contract("out.lengths", HEADER + query), CELL)


def test_required_columns_are_never_null(lake):
    header = HEADER + "-- required: length_chars\n"
    table = derive_table(lake, parse_contract("out.lengths", header + QUERY), CELL)
    assert [field.nullable for field in table.schema] == [False, False, False, True]
    with pytest.raises(ValueError, match="length_chars"):
        derive_table(lake, parse_contract("out.lengths", header + QUERY.replace("length(f.caption)", "null")), CELL)
    with pytest.raises(BadContract, match="no column: chars"):
        parse_contract("out.lengths", HEADER + "-- required: chars\n" + QUERY)


def test_header_alone_is_no_contract_and_its_row_ends_in_no_stop():
    with pytest.raises(BadContract, match="no query"):
        parse_contract("out.lengths", HEADER)
    assert parse_contract("out.lengths", HEADER + QUERY).row == "One row per figure with a mention"


def test_unknown_dependency_is_a_named_error(lake):
    contract = parse_contract("out.lengths", HEADER.replace("core.mentions", "core.nothing") + QUERY)
    with pytest.raises(BadContract, match="core.nothing"):
        derive_table(lake, contract, CELL)


def test_every_table_reads_as_its_schema_says(lake):
    import duckdb

    from pmc_assets.warehouse.views import duckdb_type, parquet_view

    with duckdb.connect() as connection:
        for layer in LAYERS:
            connection.execute(f"create schema {layer}")
        for table in schema.TABLES.values():
            connection.execute(parquet_view(table.name, table.arrow, table.partitioned_by, ""))
            described = {row[0]: row[1] for row in connection.sql(f"describe {table.name}").fetchall()}
            for field in table.columns:
                type_ = duckdb_type(field.type).replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE").replace('"', "")
                assert described[field.name].replace('"', "") == type_
