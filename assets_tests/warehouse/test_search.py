"""Caption search and neighbours: right answers, and only changed partitions are indexed again."""

import io
import json
import shutil
from typing import Never

import numpy as np
import pyarrow as pa
import pytest

from pmc_assets import schema
from pmc_assets.annotations.encoders import UnknownEncoder
from pmc_assets.annotations.vectors import vector_column
from pmc_assets.lake import Lake, Partition
from pmc_assets.warehouse import search, similar
from pmc_assets.warehouse.build import build_warehouse
from pmc_assets.warehouse.contract import find_contract
from pmc_assets.warehouse.derive import derived_table
from pmc_assets.warehouse.guard import QueryError
from pmc_assets.warehouse.neighbour_index import NoNeighbours, update_neighbours
from pmc_assets.warehouse.packed_keys import pack, parse_key
from pmc_assets.warehouse.query import run_query
from pmc_assets.warehouse.search import NoSearch, search_captions, update_search
from pmc_assets.warehouse.similar import find_similar, find_words

ENCODER = "tiny"
CAPTIONS = {
    "PMC7": ["Lung ultrasound showing B-lines.", "Kidney histology, H&E stain", "A plot of lung volumes"],
    "PMC10007": ["Ultrasounds of lungs with B-lines and more B-lines", "Nothing of that"],
}


def cell(pmcid: str) -> Partition:
    return Partition.of(license_group="commercial", batch=f"PMC0000{len(pmcid) // 8}xxxx")


def write_samples(lake: Lake, pmcid: str, captions: list[str]) -> None:
    table = derived_table(find_contract("out.samples"))
    rows = [
        dict.fromkeys(table.arrow.names)
        | {"sample_key": f"{pmcid}_1_f{i:04d}_g00", "pmcid": pmcid, "version": 1, "figure_index": i, "graphic_index": 0}
        | {"caption": caption, "mentions": [{"section": "", "text": "see the spirometer"}] if i == 2 else []}
        for i, caption in enumerate(captions)
    ]
    lake.write_table(table, pa.Table.from_pylist(rows, schema=table.arrow), cell(pmcid))


def write_vectors(lake: Lake, pmcid: str, vectors: np.ndarray) -> None:
    fields = schema.CORE_EMBEDDINGS.columns
    key = {"pmcid": pmcid, "version": 1, "graphic_index": 0}
    filler = {f.name: "0" if pa.types.is_string(f.type) else 0 for f in fields if f.name != "vector"}
    rows = [filler | key | {"figure_index": i} for i in range(len(vectors))]
    columns = [
        vector_column(vectors) if f.name == "vector" else pa.array([row[f.name] for row in rows], f.type)
        for f in fields
    ]
    table = pa.table(columns, names=[f.name for f in fields])
    lake.write_table(schema.CORE_EMBEDDINGS, table, Partition.of(encoder=ENCODER, **dict(cell(pmcid).values)))


def unit(rng: np.random.Generator, rows: int) -> np.ndarray:
    vectors = rng.normal(size=(rows, 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def make_lake(url: str) -> Lake:
    made = Lake(url)
    rng = np.random.default_rng(0)
    for pmcid, captions in CAPTIONS.items():
        write_samples(made, pmcid, captions)
        write_vectors(made, pmcid, unit(rng, len(captions)))
    update_search(made)
    build_warehouse(made)
    return made


@pytest.fixture(scope="module")
def still(tmp_path_factory) -> Lake:
    """A lake that no test changes."""
    return make_lake(str(tmp_path_factory.mktemp("search") / "lake"))


@pytest.fixture
def lake(still, tmp_path) -> Lake:
    return Lake(str(shutil.copytree(still.root, tmp_path / "lake")))


def keys(lake: Lake, sql: str) -> list[str]:
    out = io.BytesIO()
    run_query(lake.url, sql, out, format="json")
    return [row["sample_key"] for row in json.loads(out.getvalue())]


def test_search_finds_all_words_best_first(still):
    found = keys(still, "select sample_key from search('lung ultrasound B-lines') order by score desc")
    assert sorted(found) == ["PMC10007_1_f0000_g00", "PMC7_1_f0000_g00"]
    assert keys(still, "from search('B-lines')")[0] == "PMC10007_1_f0000_g00"
    assert keys(still, "from search('kidney')") == ["PMC7_1_f0001_g00"]


def test_search_stands_in_a_condition(still):
    sql = (
        "select sample_key from out.samples where sample_key in (search('lung ultrasound B-lines')) and pmcid = 'PMC7'"
    )
    assert keys(still, sql) == ["PMC7_1_f0000_g00"]


def test_mentions_are_searched_too(still):
    assert keys(still, "from search('spirometers')") == ["PMC7_1_f0002_g00"]


def test_most_limits_the_answer(still):
    assert len(keys(still, "from search('lung', most := 1)")) == 1


@pytest.mark.parametrize("query", ['"unclosed', "((", "a:b:c", "", "caption:", "*"])
def test_query_that_cannot_be_parsed_is_no_crash(still, query):
    assert search_captions(still, query).num_rows >= 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [("search('lung', most := 0)", "at most 0"), ("search(repeat('(', 100000))", "brackets"),
     ("search(repeat('NOT ', 100000) || 'x')", "NOT"), ("neighbours('PMC7_1_f0001_g00', most := -1)", "at most -1"),
     ("neighbours('x')", "^'x' is not a sample key")],
)  # fmt: skip
def test_search_that_the_engine_cannot_bear_is_refused(still, asked, said):
    with pytest.raises(QueryError, match=said):
        keys(still, f"from {asked}")


def test_words_find_samples_with_what_they_show(still):
    found = find_words(still.url, "lung ultrasound", most=1)
    assert found["sample_key"].to_pylist() == ["PMC7_1_f0000_g00"] and "B-lines" in found["caption"][0].as_py()
    assert find_words(still.url, "zebra").num_rows == 0


def test_only_changed_partitions_are_indexed_again(lake):
    assert update_search(lake).details["indexed_samples"] == 0
    assert update_search(lake).listed == update_search(lake).stored == 5
    write_samples(lake, "PMC7", ["Only a giraffe"])
    assert update_search(lake).details == {"indexed_samples": 1, "partitions_indexed": 1}
    assert search_captions(lake, "kidney").num_rows == 0 and search_captions(lake, "giraffe").num_rows == 1
    lake.delete(f"out/samples/{cell('PMC7').path}")
    assert update_search(lake).rows == 2
    assert search_captions(lake, "giraffe").num_rows == 0


def test_sample_that_is_no_document_is_noticed(lake, monkeypatch):
    write_samples(lake, "PMC7", ["Only a giraffe"])
    monkeypatch.setattr(search, "_add_partition", lambda *_: 0)
    assert not update_search(lake).is_accounted_for


def test_lake_without_an_index_says_so(tmp_path):
    with pytest.raises(NoSearch, match="pmc-assets run"):
        search_captions(Lake(str(tmp_path)), "x")


def test_search_without_index_in_sql_is_a_named_error(tmp_path):
    empty = Lake(str(tmp_path / "lake"))
    build_warehouse(empty)
    with pytest.raises(QueryError, match="no search index"):
        keys(empty, "from search('x')")


def brute_force(lake: Lake, of: str) -> list[str]:
    rng = np.random.default_rng(0)
    vectors = {}
    for pmcid, captions in CAPTIONS.items():
        for i, vector in enumerate(unit(rng, len(captions)).astype(np.float32)):
            vectors[f"{pmcid}_1_f{i:04d}_g00"] = vector
    return sorted((k for k in vectors if k != of), key=lambda k: -float(vectors[k] @ vectors[of]))


@pytest.mark.parametrize("with_index", [False, True])
def test_neighbours_equal_brute_force(lake, with_index):
    if with_index:
        assert update_neighbours(lake, ENCODER).rows == 5
    of = "PMC7_1_f0001_g00"
    assert keys(lake, f"select sample_key from neighbours('{of}')") == brute_force(lake, of)
    assert find_similar(lake.url, sample_key=of, most=2)["sample_key"].to_pylist() == brute_force(lake, of)[:2]


def test_neighbours_of_a_remote_lake_are_those_of_the_list_beside_its_warehouse(still, monkeypatch):
    remote = Lake("memory://neighbours")
    remote.fs.put(still.root, remote.root, recursive=True)
    build_warehouse(remote)
    monkeypatch.setattr(type(remote.fs), "find", lambda *_, **__: pytest.fail("a web server lists nothing"))
    of = "PMC7_1_f0001_g00"
    assert find_similar(remote.url, sample_key=of)["sample_key"].to_pylist() == brute_force(still, of)


def test_neighbours_among_a_condition_are_exact(still):
    of = "PMC7_1_f0001_g00"
    found = find_similar(still.url, sample_key=of, where="pmcid = 'PMC10007'")["sample_key"].to_pylist()
    assert found == [key for key in brute_force(still, of) if key.startswith("PMC10007")]
    assert find_similar(still.url, sample_key=of, where="false").num_rows == 0


def test_condition_of_neighbours_cannot_leave_the_lake(still):
    with pytest.raises(QueryError):
        find_similar(still.url, sample_key="PMC7_1_f0001_g00", where="1 in (select 1 from read_text('/etc/passwd'))")


def test_changed_vectors_replace_the_old_and_vanished_ones_are_left_out(lake):
    update_neighbours(lake, ENCODER)
    assert update_neighbours(lake, ENCODER).details["partitions_indexed"] == 0
    write_vectors(lake, "PMC7", unit(np.random.default_rng(5), 2))
    assert update_neighbours(lake, ENCODER).details["partitions_indexed"] == 1
    found = find_similar(lake.url, sample_key="PMC7_1_f0001_g00")["sample_key"].to_pylist()
    assert "PMC7_1_f0002_g00" not in found and len(found) == 3


@pytest.mark.parametrize(
    ("table_name", "checkpoint", "loaded"),
    [
        ("efficientnet-lite0", "/models/mine", "efficientnet-lite0"),
        ("dinov2-with-registers-large", "", "dinov2"),
        ("mine", "/models/mine", "dinov2"),
    ],
)
def test_image_is_encoded_by_what_made_the_vectors(still, monkeypatch, table_name, checkpoint, loaded):
    def load(name: str, lake: Lake, *, checkpoint: str) -> Never:
        raise LookupError(name, checkpoint)

    monkeypatch.setattr(similar, "load_encoder", load)
    with pytest.raises(LookupError) as asked:
        similar.image_vector(still, b"", table_name, checkpoint)
    assert asked.value.args == (loaded, checkpoint)
    with pytest.raises(UnknownEncoder, match="of other.*PMC_ENCODER_CHECKPOINT"):
        similar.image_vector(still, b"", "other", checkpoint)


def test_sample_without_vector_is_named(still):
    with pytest.raises(NoNeighbours, match="PMC7_1_f0099_g00"):
        find_similar(still.url, sample_key="PMC7_1_f0099_g00")


def test_keys_pack_and_parse():
    key = ("PMC999999999", 99, 99_999, 999)
    assert pack(*key) < 2**64 and parse_key("PMC999999999_99_f99999_g999") == key
    with pytest.raises(ValueError, match="limits"):
        pack("PMC1", 100, 0, 0)
    with pytest.raises(ValueError, match="not a sample key"):
        parse_key("PMC1.1")
