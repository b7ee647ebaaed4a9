"""SQL functions that a warehouse connection has beside DuckDB's own: search() and neighbours()."""

from collections.abc import Iterable

import duckdb
import pyarrow as pa
from duckdb.func import PythonUDFType

from pmc_assets.lake import Lake
from pmc_assets.warehouse.neighbours import DEFAULT_COUNT, nearest_to_sample
from pmc_assets.warehouse.packed_keys import unpack_sql
from pmc_assets.warehouse.search import HITS, MAX_HITS, search_captions
from pmc_assets.warehouse.views import duckdb_type

_HITS = pa.list_(pa.struct(list(HITS)))


def register_functions(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Register the functions on an open connection that is not locked yet.

    Shape: table functions `search(asked, most := 100000)` and `neighbours(asked, most := 10)`, of words and of a sample
    key; best first, with the columns sample_key and score (BM25; cosine).
    """

    def search(words: pa.Array, most: pa.Array) -> pa.Array:
        return _hits(search_captions(lake, w.as_py(), n.as_py()) for w, n in zip(words, most, strict=True))

    def neighbours(key: pa.Array, most: pa.Array) -> pa.Array:
        return _hits(nearest_to_sample(lake, k.as_py(), n.as_py()) for k, n in zip(key, most, strict=True))

    hits = duckdb_type(_HITS)
    for name, function, most in (("search", search, MAX_HITS), ("neighbours", neighbours, DEFAULT_COUNT)):
        connection.create_function(f"lake_{name}", function, ["VARCHAR", "BIGINT"], hits, type=PythonUDFType.ARROW)
        connection.execute(
            f"create temp macro {name}(asked, most := {most}) as table"
            f" select {unpack_sql('hit.packed_key')} as sample_key, hit.score as score"
            f" from (select unnest(lake_{name}(asked, most)) as hit)"
        )


def _hits(tables: Iterable[pa.Table]) -> pa.Array:
    return pa.array([t.to_pylist() for t in tables], _HITS)
