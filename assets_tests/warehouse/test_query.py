"""Queries: forms of output, limits, and everything that is refused without a trace."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pmc_assets import schema
from pmc_assets.lake import Lake, Partition
from pmc_assets.warehouse import watch
from pmc_assets.warehouse.build import build_warehouse
from pmc_assets.warehouse.connection import Limits, NoWarehouse, open_connection
from pmc_assets.warehouse.guard import QueryError, QueryRefused
from pmc_assets.warehouse.query import run_query
from pmc_assets.warehouse.watch import QueryOutOfMemory, QueryTimedOut

CELL = Partition.of(license_group="commercial", batch="PMC00000xxxx")
COLUMNS = "select figure_index, caption, section_path from core.figures order by figure_index"


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    made = Lake(str(tmp_path_factory.mktemp("query") / "lake"))
    captions = ["plain", 'a "quote", | and\na line', "µ"]
    rows = [
        {"pmcid": "PMC7", "version": 1, "figure_index": i, "kind": "figure", "caption": c, "section_path": ["A", "B"]}
        for i, c in enumerate(captions)
    ]
    made.write_table(schema.CORE_FIGURES, schema.CORE_FIGURES.from_rows(rows), CELL)
    build_warehouse(made)
    return made


def answer(lake: Lake, sql: str, **options) -> bytes:
    out = io.BytesIO()
    run_query(lake.url, sql, out, **options)
    return out.getvalue()


def files(lake: Lake) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path(lake.root).rglob("*") if path.is_file()}


def test_csv_reads_back(lake):
    rows = list(csv.DictReader(io.StringIO(answer(lake, COLUMNS, format="csv").decode())))
    assert rows[1] == {"figure_index": "1", "caption": 'a "quote", | and\na line', "section_path": '["A", "B"]'}


def test_json_and_json_lines_read_back(lake):
    rows = json.loads(answer(lake, COLUMNS, format="json"))
    assert rows[2] == {"figure_index": 2, "caption": "µ", "section_path": ["A", "B"]}
    assert [json.loads(line) for line in answer(lake, COLUMNS, format="jsonl").splitlines()] == rows
    assert json.loads(answer(lake, COLUMNS.replace("order", "where false order"), format="json")) == []


def test_parquet_reads_back(lake):
    table = pq.read_table(io.BytesIO(answer(lake, COLUMNS, format="parquet")))
    assert table["caption"].to_pylist()[2] == "µ" and table.num_rows == 3


def test_markdown_keeps_its_columns(lake):
    lines = answer(lake, COLUMNS, format="md").decode().splitlines()
    assert lines[1] == "| ---: | --- | --- |" and 'a "quote", \\| and a line' in lines[3]


def test_table_shows_rows_and_their_number(lake):
    text = answer(lake, COLUMNS).decode()
    assert "plain" in text and text.endswith("3 rows\n")
    assert "panel :a: of" in answer(lake, "select 'panel :a: of' as caption").decode()


def test_columns_of_one_name_are_told_apart(lake):
    sql = "select 1 as a, 2 as a, 3 as a_1, 4 as a"
    assert answer(lake, sql, format="csv") == b"a,a_2,a_1,a_3\n1,2,3,4\n"
    assert list(json.loads(answer(lake, sql, format="json"))[0].values()) == [1, 2, 3, 4]
    assert pq.read_table(io.BytesIO(answer(lake, sql, format="parquet"))).num_columns == 4
    assert answer(lake, sql).split()[:4] == [b"a", b"a_2", b"a_1", b"a_3"]


VALUES = (
    "select sum(figure_index) as s, 1.5::decimal(9, 2) as d, 'nan'::double as n, 0.1::float as f,"
    " {'x': 'inf'::float} as st, '\\x00\\xFF'::blob as b, true as t, null as z from core.figures"
)


def test_values_are_json_that_any_reader_takes(lake):
    said = answer(lake, VALUES, format="json").decode()
    (row,) = json.loads(said, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    wanted = {"s": 3, "d": 1.5, "n": None, "f": 0.1, "st": {"x": None}, "b": "00ff", "t": True, "z": None}
    assert row == wanted


def test_values_are_plain_text_in_csv(lake):
    assert answer(lake, VALUES, format="csv").decode().splitlines()[1] == '3,1.50,nan,0.1,"{""x"": null}",00ff,true,'


def test_markdown_escapes_the_names_of_columns(lake):
    assert answer(lake, 'select 1 as "a|b"', format="md").decode().splitlines()[0] == "| a\\|b |"


@pytest.mark.parametrize(
    ("sql", "format"), [("select date '20000-01-01' as d", "csv"), ("select interval 1 day as i", "parquet")]
)
def test_value_that_a_form_cannot_hold_is_named(lake, sql, format):
    with pytest.raises(QueryError, match=r"out of range|interval"):
        answer(lake, sql, format=format)


def test_words_of_a_text_are_no_search(lake):
    assert answer(lake, "select 'in (search(1))' as t -- in (search('x'))", format="csv") == b"t\nin (search(1))\n"


@pytest.mark.parametrize(
    "sql", ["explain (select 1)", "-- note\nexplain select 1", "/* a; b */ explain(format json) from (select 1)"]
)
def test_explain_takes_brackets_and_comments(lake, sql):
    assert b"explain_value" in answer(lake, sql)


def test_pivot_without_values_is_told_what_it_lacks(lake):
    with pytest.raises(QueryRefused, match=r"in \(…\)"):
        answer(lake, "pivot core.figures on kind")


def test_explain_and_describe_are_reading(lake):
    assert b"READ_PARQUET" in answer(lake, f"explain analyze {COLUMNS};")
    assert b"figure_index" in answer(lake, "describe core.figures")


REFUSED = [
    "copy (select 1) to '{lake}/core/x.parquet'",
    "explain analyze copy (select 1) to '{lake}/core/x.parquet'",
    "explain (analyze) copy (select 1) to '{lake}/core/x.parquet'",
    "with x as (copy (select 1) to '{lake}/core/x.json') select * from x",
    "select * from (with x as (copy (select 1) to '{lake}/core/x.json') select * from x)",
    "attach '{lake}/other.duckdb'",
    "install httpfs",
    "load httpfs",
    "create table t as select 1",
    "insert into core.figures select * from core.figures",
    "delete from core.figures",
    "drop view core.figures",
    "set enable_external_access = true",
    "set variable lake = '/'",
    "pragma database_list",
    "call pragma_version()",
    "export database '{lake}/x'",
    "select 1; select 2",
    "select 1; copy (select 1) to '{lake}/x'",
    "",
    "-- nothing",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_anything_but_one_reading_statement_is_refused_and_writes_nothing(lake, sql):
    before = files(lake)
    with pytest.raises(QueryRefused):
        answer(lake, sql.format(lake=lake.root))
    assert files(lake) == before


def test_quoted_bracket_hides_no_statement(lake):
    before = files(lake)
    with pytest.raises(QueryError):
        answer(lake, f"explain (analyze ') select ') copy (select 2 as a) to $${lake.root}/core/x.csv$$ --'")
    assert files(lake) == before


OUTSIDE = [
    "select * from read_text('/etc/passwd')",
    "select * from read_csv('/etc/passwd')",
    "select * from '/etc/passwd'",
    "select * from read_text('{lake}/../outside.txt')",
    "select * from glob('/etc/*')",
    "select * from read_blob('/proc/self/environ')",
    "select * from read_parquet('https://127.0.0.1:9/x.parquet')",
    "select * from query('copy (select 1) to ''{lake}/x''')",
]


@pytest.mark.parametrize("sql", OUTSIDE)
def test_nothing_outside_the_lake_is_read(lake, sql):
    (Path(lake.root).parent / "outside.txt").write_text("secret")
    before = files(lake)
    with pytest.raises(QueryError) as error:
        answer(lake, sql.format(lake=lake.root))
    assert "secret" not in str(error.value) and files(lake) == before


@pytest.mark.parametrize(
    ("sql", "said"),
    [("select nope from core.figures", "nope"), ("selec 1", "syntax"), ("from core.nothing", "nothing")],
)
def test_mistakes_are_named(lake, sql, said):
    with pytest.raises(QueryError, match=said) as error:
        answer(lake, sql)
    assert "\n" not in str(error.value)


def test_unknown_format_is_named(lake):
    with pytest.raises(QueryError, match="xml.*csv"):
        answer(lake, "select 1", format="xml")


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from range(1000000000000)",
        "select count(*) from range(10000000) a, range(10000000) b where (a.range + b.range) % 7 = 2",
        "with recursive n as (select 1 as i union all select i + 1 from n) select max(i) from n",
    ],
)
def test_runaway_query_is_stopped_in_time(lake, sql):
    with pytest.raises(QueryTimedOut, match=r"0\.3 s"):
        answer(lake, sql, timeout_s=0.3)


def test_runaway_query_is_stopped_at_the_memory_limit(lake):
    with pytest.raises(QueryOutOfMemory):
        answer(lake, "select list(range) from range(200000000)", memory_limit="200MB")


def test_rows_that_never_end_are_stopped_too(lake):
    with pytest.raises(QueryTimedOut):
        answer(lake, "from range(1000000000000)", format="csv", timeout_s=0.2)


@pytest.mark.parametrize("error", [QueryTimedOut, QueryOutOfMemory])
def test_query_that_hears_no_interrupt_is_given_up(lake, error, monkeypatch):
    monkeypatch.setattr(watch, "GRACE_S", 0.0)
    if error is QueryOutOfMemory:
        held = iter([0])
        monkeypatch.setattr(watch, "private_bytes", lambda: next(held, 2**60))
    given_up: list[QueryError] = []
    sql = "select levenshtein(repeat('a', 20000), repeat('b', 20000))"
    with pytest.raises(error):
        answer(lake, sql, abandon=given_up.append, timeout_s=0.1 if error is QueryTimedOut else None)
    assert isinstance(given_up[0], error)


def test_progress_is_told(lake):
    told: list[float] = []
    answer(lake, "select count(*) from range(100000000) where range % 3 = 1", progress=told.append)
    assert told and all(0 <= share <= 100 for share in told)


def test_lake_without_warehouse_says_how_to_make_one(tmp_path):
    with pytest.raises(NoWarehouse, match="pmc-assets run"):
        run_query(str(tmp_path), "select 1", io.BytesIO())


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'"text"', b'{"files": []}', b'{"files": {"out.samples": 1}}', b"\xff"]
)
def test_remote_lake_with_a_damaged_list_says_how_to_make_one(content):
    lake = Lake("memory://damaged")
    lake.fs.pipe_file(lake.full_path("warehouse.json"), content)
    with pytest.raises(NoWarehouse, match="no list of a lake's files: make it by `pmc-assets run"):
        run_query(lake.url, "select 1 from out.samples", io.BytesIO())


def test_lake_is_listed_with_or_without_a_warehouse(lake, tmp_path):
    half = Lake(str(tmp_path / "half"))
    with pytest.raises(NoWarehouse, match="no table.*pmc-assets run"), open_connection(half, is_listed=True):
        raise AssertionError("an empty folder was opened")
    shutil.copytree(lake.full_path("core"), half.full_path("core"))
    with open_connection(half, is_listed=True) as connection:
        assert connection.sql("select count(*) from core.figures").fetchall() == [(3,)]
        assert connection.sql("select count(*) from out.samples").fetchall() == [(0,)]
    build_warehouse(half)
    half.delete("core/figures")
    with pytest.raises(QueryError, match="are gone since the warehouse.*pmc-assets run"):
        answer(half, COLUMNS)


def test_two_connections_at_once(lake):
    with open_connection(lake) as first, open_connection(lake, Limits(memory="1GB")) as second:
        assert first.sql("select 1").fetchall() == second.sql("select 1").fetchall()


def test_prompt_answers_until_quit_and_survives_mistakes(lake):
    from pmc_assets.warehouse.prompt import prompt

    lines = iter(
        ["select count(*) as figures", "from core.figures;", "selekt 1;", ".tables", ".columns core.figures", ""]
    )

    def read_line(_: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    out = io.BytesIO()
    prompt(lake.url, read_line=read_line, out=out)
    said = out.getvalue().decode()
    assert "figures" in said and "syntax error" in said and "core.mentions" in said and "caption_title" in said


def test_script_needs_no_last_semicolon_and_ends_at_its_first_mistake(lake):
    from pmc_assets.warehouse.prompt import prompt

    def read_from(lines: list[str]) -> Callable[[str], str]:
        def read_line(shown: str) -> str:
            assert shown == ""
            if not lines:
                raise EOFError
            return lines.pop(0)

        return read_line

    out = io.BytesIO()
    prompt(lake.url, is_person=False, read_line=read_from(["select 1 as one;", "select 2 as two"]), out=out)
    said = [word for word in out.getvalue().decode().split() if "─" not in word]
    assert said == ["one", "1", "1", "row", "two", "2", "1", "row"]
    with pytest.raises(QueryError, match="syntax"):
        prompt(lake.url, is_person=False, read_line=read_from(["selekt 1;", "select 1;"]), out=io.BytesIO())
