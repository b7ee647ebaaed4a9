"""The warehouse file: views that work from anywhere, evolve with columns, prune partitions, and are described."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.warehouse import compact
from pmc_assets.warehouse.build import build_warehouse, is_current
from pmc_assets.warehouse.catalog import all_tables
from pmc_assets.warehouse.contract import table_contracts
from pmc_assets.warehouse.derive import derived_table
from pmc_assets.warehouse.shared_views import view_contracts


def cell(batch: int, group: str = "commercial") -> Partition:
    return Partition.of(license_group=group, batch=f"PMC{batch:05d}xxxx")


def figures(pmcid: str, count: int = 2) -> pa.Table:
    rows = [
        {"pmcid": pmcid, "version": 1, "figure_index": i, "kind": "figure", "caption": f"caption {i}"}
        for i in range(count)
    ]
    return schema.CORE_FIGURES.from_rows(rows)


def rejects(stage: str) -> pa.Table:
    row = {"pmcid": "PMC7", "version": 1, "reason": "graphic_unresolved", "name": None, "detail": ""}
    return schema.CORE_REJECTS.from_rows([row | {"stage": stage}])


@pytest.fixture
def lake(tmp_path):
    made = Lake(str(tmp_path / "batch=7" / "it's" / "lake"))
    made.write_table(schema.CORE_FIGURES, figures("PMC7"), cell(0))
    made.write_table(schema.CORE_FIGURES, figures("PMC10007", 3), cell(1, "other"))
    return made


def rows(lake: Lake, query: str, setting: str = "") -> list[tuple]:
    with duckdb.connect(f"{lake.root}/warehouse.duckdb", read_only=True) as connection:
        if setting:
            connection.execute(setting)
        return connection.sql(query).fetchall()


def test_file_opens_from_any_folder_with_partitions_as_columns(lake, tmp_path, monkeypatch):
    build_warehouse(lake)
    monkeypatch.chdir("/")
    query = "select license_group, batch, count(*) from core.figures group by all order by all"
    assert rows(lake, query) == [("commercial", "PMC00000xxxx", 2), ("other", "PMC00001xxxx", 3)]


def test_moved_lake_is_named_by_a_variable(lake, tmp_path):
    build_warehouse(lake)
    moved = Lake(str(tmp_path / "elsewhere"))
    shutil.move(lake.root, moved.root)
    assert rows(moved, "select count(*) from core.figures", f"set variable lake = '{moved.root}'") == [(5,)]


def test_every_table_and_column_is_described_as_its_contract_says(lake):
    build_warehouse(lake)
    views = dict(rows(lake, "select schema_name || '.' || view_name, comment from duckdb_views() where not internal"))
    assert set(views) == set(all_tables()) | {view.name for view in view_contracts()}
    for name, table in all_tables().items():
        assert views[name].startswith(f"{table.row}. Key: ")
    columns = rows(
        lake, "select schema_name || '.' || table_name, column_name, comment from duckdb_columns() where not internal"
    )
    described = {(table, column): comment for table, column, comment in columns}
    for table in all_tables().values():
        for field in table.columns:
            assert described[table.name, field.name].startswith(field.metadata[b"description"].decode())
    for view in view_contracts():
        assert {column: described[view.name, column] for column in view.columns} == view.columns
    assert all(comment for comment in described.values())


def test_descriptions_of_derived_tables_are_those_of_the_header(lake):
    for contract in table_contracts().values():
        meanings = {f.name: f.metadata[b"description"].decode() for f in derived_table(contract).columns}
        assert meanings == contract.columns


def test_new_partition_is_seen_at_once_and_makes_the_warehouse_stale(lake):
    build_warehouse(lake)
    assert is_current(lake)
    lake.write_table(schema.CORE_FIGURES, figures("PMC20001"), cell(2))
    assert rows(lake, "select count(*) from core.figures") == [(7,)]
    assert not is_current(lake)


def test_warehouse_is_made_again_when_its_views_change_or_it_is_damaged(lake):
    build_warehouse(lake)
    file = Path(lake.full_path("warehouse.duckdb"))
    made = file.stat()
    lake.write_table(schema.CORE_FIGURES, figures("PMC20001"), cell(2))
    assert build_warehouse(lake).stored == len(all_tables())
    assert is_current(lake)
    assert file.stat().st_ino == made.st_ino and file.stat().st_mtime_ns == made.st_mtime_ns
    lake.write_rejects("images", rejects("images"), cell(0))
    build_warehouse(lake)
    assert file.stat().st_ino != made.st_ino
    for name, damage in (
        ("warehouse.duckdb", file.read_bytes()[:-1]),
        ("warehouse.duckdb", file.read_bytes()[:5000] + b"?" + file.read_bytes()[5001:]),
        ("warehouse.duckdb", b""),
        ("warehouse.json", b"{"),
        ("warehouse.json", b"[]"),
        ("warehouse.json", b'{"files": {"core.figures": 1}}'),
        ("warehouse.json", b'{"files": [], "blocks": 1}'),
        ("warehouse.json", b"[" * 10**5),
    ):
        lake.write_bytes(name, damage)
        assert build_warehouse(lake).is_accounted_for and is_current(lake)
        assert rows(lake, "select count(*) from core.figures") == [(7,)]
    with duckdb.connect(str(file)):  # a client that may write locks the file
        assert build_warehouse(lake).is_accounted_for
    file.unlink()
    assert build_warehouse(lake).is_accounted_for
    assert rows(lake, "select count(*) from core.figures") == [(7,)]


@pytest.mark.parametrize("is_changed", [False, True])
def test_what_a_killed_client_changed_is_no_part_of_the_warehouse(lake, is_changed):
    build_warehouse(lake)
    script = "import duckdb, os, sys; connection = duckdb.connect(sys.argv[1]);"
    script += "connection.execute('create or replace view core.figures as select 1 as a'); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", script, lake.full_path("warehouse.duckdb")], check=False)
    assert lake.exists("warehouse.duckdb.wal")
    if is_changed:
        lake.write_rejects("images", rejects("images"), cell(0))
    assert build_warehouse(lake).is_accounted_for
    assert rows(lake, "select count(*) from core.figures") == [(5,)]
    assert rows(lake, "select count(*) from core.rejects") == [(int(is_changed),)]


def test_a_file_that_may_not_be_read_is_made_again(lake, monkeypatch):
    build_warehouse(lake)
    made, read_bytes = Path(lake.full_path("warehouse.duckdb")), Path.read_bytes

    def read_others(path: Path) -> bytes:
        if path == made:
            raise PermissionError(path)
        return read_bytes(path)

    inode = made.stat().st_ino
    monkeypatch.setattr(Path, "read_bytes", read_others)
    assert build_warehouse(lake).is_accounted_for
    assert made.stat().st_ino != inode


def test_a_query_may_end_in_a_comment(lake, monkeypatch):
    (contract, *others) = view_contracts()
    commented = replace(contract, sql=contract.sql + " -- that is all")
    monkeypatch.setattr("pmc_assets.warehouse.shared_views.view_contracts", lambda: (commented, *others))
    assert build_warehouse(lake).is_accounted_for


def test_column_that_older_files_lack_reads_as_null(lake):
    old = figures("PMC30001").drop_columns(["alt_text", "graphics"])
    path = f"{lake.root}/core/figures/{cell(3).path}/figures.parquet"
    lake.write_table(schema.CORE_FIGURES, figures("PMC30001"), cell(3))
    pq.write_table(old, path)
    build_warehouse(lake)
    assert rows(lake, "select count(*), count(alt_text), count(graphics) from core.figures") == [(7, 0, 0)]


def test_filter_on_a_partition_skips_the_other_files(lake):
    build_warehouse(lake)
    plan = rows(lake, "explain analyze select count(*) from core.figures where batch = 'PMC00001xxxx'")[0][1]
    assert "Scanning Files: 1/2" in plan


def test_rejects_of_all_stages_are_one_view(lake):
    for stage in ("images", "articles"):
        lake.write_rejects(stage, rejects(stage), cell(0))
    build_warehouse(lake)
    assert rows(lake, "select stage, batch from core.rejects order by all") == [
        ("articles", "PMC00000xxxx"),
        ("images", "PMC00000xxxx"),
    ]


def test_path_of_a_shard_is_inside_the_lake_wherever_that_is(tmp_path):
    lake = Lake(str(tmp_path / "out" / "shards" / "lake"))
    folder = Path(lake.full_path(lake.partition_path("out.shards", cell(0))))
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"sample_key": ["a"]}), folder / "00000.parquet")
    build_warehouse(lake)
    tar = "out/shards/license_group=commercial/batch=PMC00000xxxx/00000.tar"
    assert rows(lake, "select shard_path from out.shards") == [(tar,)]


def test_empty_lake_has_every_view(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    build_warehouse(lake)
    assert rows(lake, "select count(*) from out.samples") == [(0,)]


def test_compacted_table_answers_as_its_partitions_do_and_follows_them(lake, monkeypatch):
    monkeypatch.setattr("pmc_assets.warehouse.compact.COMPACTED_FROM_FILES", 2)
    monkeypatch.setattr("pmc_assets.warehouse.build.COMPACTED_TABLES", ("core.figures",))
    lake.write_table(schema.CORE_FIGURES, figures("PMC1000001"), cell(100))
    query = "select license_group, batch, pmcid, figure_index, caption from core.figures order by all"
    result = build_warehouse(lake)
    assert result.details["compacted_files"] == 3 and result.is_accounted_for
    compacted = rows(lake, query)
    block = lake.find("compact", "PMC000xxxxxx.parquet")[0]
    written_at = lake.fs.info(lake.full_path(block))["mtime"]
    lake.write_table(schema.CORE_FIGURES, figures("PMC1000001", 4), cell(100))
    lake.delete(f"core/figures/{cell(1, 'other').path}")
    build_warehouse(lake)
    assert lake.fs.info(lake.full_path(block))["mtime"] == written_at
    assert len(lake.find("compact", ".parquet")) == 2
    assert len(compacted) == 7 and len(rows(lake, query)) == 6
    assert rows(lake, query)[:2] == compacted[:2]
    assert compact.COMPACTED_FROM_FILES == 2
