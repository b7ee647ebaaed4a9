"""One vector per readable image of a partition. What vectors are used for stays out."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pmc_assets import schema
from pmc_assets.annotations.decoding import ImagePlace, Squares, stream_squares
from pmc_assets.annotations.encoders import Encoder
from pmc_assets.annotations.panels import VERSION as PANELS_VERSION
from pmc_assets.annotations.panels import Panels
from pmc_assets.annotations.vectors import embeddings_partition, vector_column, vector_matrix
from pmc_assets.lake import Lake, Partition
from pmc_assets.rejects import Reject, rejects_table
from pmc_assets.results import PREVIEW_ROWS, StageResult, count_reasons

KEY = list(schema.CORE_IMAGES.key)
COLUMNS = [*KEY, "image_name", "image_sha256", "part_path", "offset_bytes", "size_bytes"]


@dataclass(frozen=True, slots=True)
class Encoded:
    """What is kept of one image: its float16 vector and its panels."""

    vector: np.ndarray
    panels: Panels


def embed_partition(lake: Lake, partition: Partition, encoder: Encoder, *, workers: int = 1) -> StageResult:
    """Encode every image of a cell; publish its vectors and rejects.

    Equal bytes are encoded once, and vectors of this encoder version that are there already are kept.
    """
    images = lake.read_table(schema.CORE_IMAGES, partition, COLUMNS).to_pylist()
    target, version = embeddings_partition(partition, encoder.name), embeddings_version(encoder)
    encoded = _known(lake, target, version)
    known = len(encoded)
    failures: dict[str, str] = {}
    places = _places(row for row in images if row["image_sha256"] not in encoded)
    for batch in stream_squares(lake.url, places, encoder.side_px, encoder.pad_grey, encoder.batch_images, workers):
        failures |= batch.failures
        encoded |= _encode(encoder, batch)
    stored = [row for row in images if row["image_sha256"] in encoded]
    table = _table(stored, encoded, version)
    rejects = rejects_table([_reject(row, failures) for row in images if row["image_sha256"] in failures])
    written = lake.write_table(schema.CORE_EMBEDDINGS, table, target)
    lake.write_rejects("embeddings", rejects, partition)
    result = StageResult(
        listed=len(images),
        stored=len(stored),
        rejected=count_reasons(rejects),
        details={"encoder": encoder.name, "encoder_version": version, "encoded": len(encoded) - known},
        preview=table.drop(["vector"]).slice(0, PREVIEW_ROWS),
    )
    return result.add_written(written)


def embeddings_version(encoder: Encoder) -> str:
    """Name what a row depends on: weights, preprocessing and the cut into panels."""
    return f"{encoder.version}-{PANELS_VERSION}"


def _encode(encoder: Encoder, batch: Squares) -> dict[str, Encoded]:
    if not batch.digests:
        return {}
    vectors = encoder.encode(batch.pixels).astype(np.float16)
    return dict(zip(batch.digests, map(Encoded, vectors, batch.panels), strict=True))


def _places(rows: Iterable[dict]) -> list[ImagePlace]:
    by_digest = {row["image_sha256"]: row for row in rows}
    return [ImagePlace(**{name: row[name] for name in ImagePlace.__slots__}) for row in by_digest.values()]


def _known(lake: Lake, target: Partition, version: str) -> dict[str, Encoded]:
    rows = lake.read_table(schema.CORE_EMBEDDINGS, target)
    rows = rows.filter(pc.equal(rows["encoder_version"], version))
    panels = map(Panels, rows["gutter_panel_count"].to_pylist(), rows["gutter_panel_subtype"].to_pylist())
    return dict(zip(rows["image_sha256"].to_pylist(), map(Encoded, vector_matrix(rows["vector"]), panels), strict=True))


def _table(rows: list[dict], encoded: dict[str, Encoded], version: str) -> pa.Table:
    if not rows:
        return schema.CORE_EMBEDDINGS.empty()
    kept = [encoded[row["image_sha256"]] for row in rows]
    columns: dict[str, list] = {name: [row[name] for row in rows] for name in [*KEY, "image_sha256"]}
    columns["encoder_version"] = [version] * len(rows)
    columns["gutter_panel_count"] = [one.panels.count for one in kept]
    columns["gutter_panel_subtype"] = [one.panels.subtype for one in kept]
    fields = [field for field in schema.CORE_EMBEDDINGS.arrow if field.name != "vector"]
    table = pa.table(columns, schema=pa.schema(fields))
    vector = vector_column(np.stack([one.vector for one in kept]))
    return table.append_column(schema.CORE_EMBEDDINGS.arrow.field("vector").with_type(vector.type), vector)


def _reject(row: dict, failures: dict[str, str]) -> Reject:
    detail = failures[row["image_sha256"]]
    return Reject("embeddings", "image_unreadable", row["pmcid"], row["version"], row["image_name"], detail)
