"""Units of an export: the samples of one output file, with a digest that says when it must be written again."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from pmc_assets.lake import Partition
from pmc_assets.shards import plan
from pmc_assets.subsets.select import SELECTED

ROWS_AT_ONCE = 10_000
FORM_VERSION = 1
UNIT_BYTES = 128 * 2**20
_ORDER = {"parquet": "license_group, batch, pmcid[4:]::bigint, sample_key"}
_CUT_BY = {"parquet": "license_group"}


@dataclass(frozen=True)
class Unit:
    """The samples of one output, in its order; `digest` covers which they are and the state of their sources."""

    number: int
    rows: pa.Table
    digest: str

    @property
    def stem(self) -> str:
        return plan.stem(self.number)


def units(
    connection: duckdb.DuckDBPyConnection,
    format: str,
    inputs: dict[str, str],
    *,
    most_samples: int = plan.SAMPLES_PER_SHARD,
    most_bytes: int = UNIT_BYTES,
) -> Iterator[Unit]:
    """Cut the selected samples into units, in the order of the lake's shards (Parquet: of the articles)."""
    order = _ORDER.get(format, "license_group, batch, shard_path, sample_offset_bytes")
    reader = connection.sql(f"from {SELECTED} order by {order}").to_arrow_reader(ROWS_AT_ONCE)
    rest = reader.schema.empty_table()
    number = 0
    for batch in reader:
        rest = pa.concat_tables([rest, pa.Table.from_batches([batch])])
        while (end := _end_of_unit(rest, format, most_samples, most_bytes)) < rest.num_rows:
            yield _unit(number, rest.slice(0, end), format, inputs)
            rest, number = rest.slice(end), number + 1
    if rest.num_rows:
        yield _unit(number, rest, format, inputs)


def _end_of_unit(rows: pa.Table, format: str, most_samples: int, most_bytes: int) -> int:
    sizes = np.cumsum(rows["sample_size_bytes"].to_numpy())
    end = min(most_samples, rows.num_rows, max(1, int(np.searchsorted(sizes, most_bytes, side="right"))))
    if format in _CUT_BY:
        group = rows[_CUT_BY[format]]
        others = np.flatnonzero(group.to_numpy() != group[0].as_py())
        end = min(end, int(others[0]) if len(others) else end)
    return end


def _unit(number: int, rows: pa.Table, format: str, inputs: dict[str, str]) -> Unit:
    digest = hashlib.sha256(f"{format} {FORM_VERSION}\n".encode())
    digest.update("\n".join(rows["sample_key"].to_pylist()).encode())
    digest.update(np.ascontiguousarray(rows["sample_offset_bytes"].to_numpy()).tobytes())
    groups, batches = rows["license_group"].to_pylist(), rows["batch"].to_pylist()
    cells = {Partition.of(license_group=group, batch=batch) for group, batch in set(zip(groups, batches, strict=True))}
    for path, version in inputs.items():
        if Partition.from_path(path) in cells:
            digest.update(f"\n{path} {version}".encode())
    return Unit(number, rows, digest.hexdigest())
