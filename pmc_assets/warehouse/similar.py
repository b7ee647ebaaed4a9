"""Find samples by their words, or by what looks like a sample or an image file, each with what a reader asks first."""

import duckdb
import numpy as np
import pyarrow as pa

from pmc_assets.annotations.encoders import DEFAULT_ENCODER, UnknownEncoder, encoder_table_name, load_encoder
from pmc_assets.lake import Lake
from pmc_assets.warehouse.connection import open_connection
from pmc_assets.warehouse.guard import check_query, tables_of
from pmc_assets.warehouse.neighbours import DEFAULT_COUNT, default_encoder, nearest_to_sample, nearest_to_vector
from pmc_assets.warehouse.packed_keys import pack_sql, unpack_sql
from pmc_assets.warehouse.search import SAMPLES, search_captions
from pmc_assets.warehouse.watch import Abandon, guarded

SHOWN = "s.license_group, s.primary_label, s.caption"
IMAGES_PER_SAMPLE = 2
"""So many images are asked for by sample that is wanted: those without a caption are no samples."""


def find_similar(
    lake_url: str,
    *,
    sample_key: str = "",
    image: bytes = b"",
    where: str = "",
    most: int = DEFAULT_COUNT,
    encoder: str = "",
    checkpoint: str = "",
    timeout_s: float | None = None,
    abandon: Abandon | None = None,
) -> pa.Table:
    """Find the samples nearest to a sample, or to an image file's bytes, by embedding.

    `where` is a condition on out.samples: the answer is exact among those. `encoder` and `checkpoint` are those that
    made the vectors; an image file of a DINOv2 lake needs them.
    Shape: sample_key, score (cosine), license_group, primary_label, caption; nearest first.
    Raises: NoNeighbours, UnknownEncoder, QueryError.
    """
    lake = Lake(lake_url)
    name = encoder_table_name(encoder, checkpoint) if encoder else default_encoder(lake)
    with open_connection(lake, tables={SAMPLES, *tables_of(where)}) as connection:
        among = None
        if where:
            condition = check_query(connection, f"select {pack_sql('s')} as k from out.samples as s where ({where}\n)")
            with guarded(connection, timeout_s, abandon=abandon):
                among = connection.sql(condition).to_arrow_table()["k"].combine_chunks()
        asked = most * IMAGES_PER_SAMPLE
        if sample_key:
            hits = nearest_to_sample(lake, sample_key, asked, encoder=name, among=among)
        else:
            hits = nearest_to_vector(
                lake, image_vector(lake, image, name, checkpoint), asked, encoder=name, among=among
            )
        return _samples_of(connection, hits, most)


def find_words(lake_url: str, words: str, *, most: int = DEFAULT_COUNT) -> pa.Table:
    """Find the samples whose caption or mentions hold words, as `search_captions` does, best first.

    Shape: sample_key, score (BM25), license_group, primary_label, caption. Raises: NoSearch, BadSearch.
    """
    lake = Lake(lake_url)
    hits = search_captions(lake, words, most)
    with open_connection(lake, tables={SAMPLES}) as connection:
        return _samples_of(connection, hits, most)


def _samples_of(connection: duckdb.DuckDBPyConnection, hits: pa.Table, most: int) -> pa.Table:
    connection.register("hits", hits)
    return connection.sql(
        f"select s.sample_key, h.score, {SHOWN} from hits as h"
        f" join out.samples as s on s.sample_key = {unpack_sql('h.packed_key')} order by h.score desc, 1 limit {most}"
    ).to_arrow_table()


def image_vector(lake: Lake, image: bytes, table_name: str, checkpoint: str = "") -> np.ndarray:
    """Encode one image file as the lake's images were: `table_name` is that of their vectors.

    Raises: UnknownEncoder where another checkpoint made them.
    """
    from pmc_assets.annotations.decoding import square
    from pmc_assets.figures.pixels import decode

    dinov2 = encoder_table_name("dinov2", checkpoint)
    if table_name not in (DEFAULT_ENCODER, dinov2):
        raise UnknownEncoder(f"the vectors are of {table_name}: name its folder or hub id in PMC_ENCODER_CHECKPOINT")
    loaded = load_encoder("dinov2" if table_name == dinov2 else table_name, lake, checkpoint=checkpoint)
    return loaded.encode(square(decode(image, loaded.side_px).rgb, loaded.side_px, loaded.pad_grey)[None])[0]
