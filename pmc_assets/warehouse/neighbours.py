"""Nearest neighbours by embedding: exact within a selection, by the index over the whole lake.

Making embeddings and the index stays out.
"""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from usearch.index import Index

from pmc_assets.lake import Lake, Partition
from pmc_assets.schema import CORE_EMBEDDINGS
from pmc_assets.warehouse.listing import Snapshot
from pmc_assets.warehouse.neighbour_index import NoNeighbours, embedding_files, encoders, index_path
from pmc_assets.warehouse.packed_keys import PACKED_PER_PMCID, pack, pack_sql, parse_key
from pmc_assets.warehouse.ranged_files import RangedFiles
from pmc_assets.warehouse.views import parquet_view, texts

DEFAULT_COUNT = 10
CANDIDATES_PER_ANSWER = 2


def nearest_to_sample(
    lake: Lake, sample_key: str, most: int = DEFAULT_COUNT, *, encoder: str = "", among: pa.Array | None = None
) -> pa.Table:
    """Find the samples nearest to one sample, itself left out. Shape and `among` as for `nearest_to_vector`.

    Raises: NoNeighbours where the sample has no vector, or the lake no embeddings.
    """
    _check_most(most)
    name = encoder or default_encoder(lake)
    hits = nearest_to_vector(lake, _vector_of(lake, sample_key, name), most + 1, encoder=name, among=among)
    others = hits.filter(pc.not_equal(hits["packed_key"], pa.scalar(pack(*parse_key(sample_key)), pa.uint64())))
    return others.slice(0, most)


def nearest_to_vector(
    lake: Lake, vector: np.ndarray, most: int = DEFAULT_COUNT, *, encoder: str = "", among: pa.Array | None = None
) -> pa.Table:
    """Find the images nearest to a vector by cosine.

    `among` (packed keys) asks for the exact answer within them. Without it the index answers, from vectors rounded to
    int8; without an index every vector is compared.
    Shape: packed_key, score (cosine), nearest first, ties by key.
    """
    _check_most(most)
    name = encoder or default_encoder(lake)
    if among is None and lake.is_local and lake.exists(index_path(name)):
        return _ask_index(lake, vector, most, name)
    with _embeddings(lake, name) as connection:
        only = ""
        if among is not None:
            connection.register("among", pa.table({"packed_key": among}))
            only = f"where {pack_sql('e')} in (select packed_key from among)"
        return connection.sql(
            f"select {pack_sql('e')} as packed_key, list_cosine_similarity(vector, $vector::float[])::float as score"
            f" from embeddings as e {only} order by score desc, packed_key limit $most",
            params={"vector": vector.tolist(), "most": most},
        ).to_arrow_table()


def _check_most(most: int) -> None:
    if most < 1:
        raise NoNeighbours(f"at most {most} neighbours are none: ask for one or more")


def _ask_index(lake: Lake, vector: np.ndarray, most: int, encoder: str) -> pa.Table:
    path = Path(lake.full_path(index_path(encoder)))
    index = Index(path=path, view=True, ndim=len(vector), metric="cos", dtype="i8")
    matches = index.search(vector.astype(np.float32), most * CANDIDATES_PER_ANSWER)
    keys = pa.array(np.asarray(matches.keys, dtype=np.uint64))
    scores = pa.array(1 - np.asarray(matches.distances, dtype=np.float32))
    with _embeddings(lake, encoder, keys) as connection:
        connection.register("found", pa.table({"packed_key": keys, "score": scores}))
        return connection.sql(
            f"select packed_key, score from found semi join (select {pack_sql('e')} as packed_key from embeddings as e)"
            f" using (packed_key) order by score desc, packed_key limit {most}"
        ).to_arrow_table()


def default_encoder(lake: Lake) -> str:
    """Name the lake's first encoder. Raises: NoNeighbours where it has none."""
    names = encoders(lake)
    if not names:
        raise NoNeighbours(f"{lake.url} has no embeddings: make them by `pmc-assets run`")
    return names[0]


def _vector_of(lake: Lake, sample_key: str, encoder: str) -> np.ndarray:
    with _embeddings(lake, encoder) as connection:
        rows = connection.execute(
            "select vector from embeddings where pmcid = ? and version = ? and figure_index = ? and graphic_index = ?",
            parse_key(sample_key),
        ).fetchall()
    if not rows:
        raise NoNeighbours(f"{sample_key} has no vector of {encoder}")
    return np.asarray(rows[0][0], dtype=np.float32)


def _embeddings(lake: Lake, encoder: str, among: pa.Array | None = None) -> duckdb.DuckDBPyConnection:
    """Open the vectors of one encoder, of the batches of some packed keys only where they are given."""
    connection = duckdb.connect()
    files = embedding_files(lake, encoder)
    if not lake.is_local:
        connection.register_filesystem(RangedFiles(lake, Snapshot({CORE_EMBEDDINGS.name: files})))
    paths = [f"{lake.duckdb_root}/{path}" for path in files if among is None or _may_hold(path, among)]
    connection.execute(parquet_view("embeddings", CORE_EMBEDDINGS.arrow, (), texts(paths)))
    return connection


def _may_hold(path: str, among: pa.Array) -> bool:
    batch = Partition.from_path(path)["batch"]
    width = 10 ** batch.count("x")
    first = int(batch[3:].rstrip("x") or 0) * width
    numbers = np.asarray(among) // PACKED_PER_PMCID
    return bool(((numbers >= first) & (numbers < first + width)).any())
