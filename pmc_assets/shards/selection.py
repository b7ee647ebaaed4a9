"""Choose samples of published shards by a SQL condition, and order them for an epoch. Reading their bytes stays out."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pmc_assets.lake import Lake
from pmc_assets.shards.index import index_path
from pmc_assets.warehouse.engine import open_duckdb
from pmc_assets.warehouse.views import texts

MEMBERS = ("image", "text", "json")
_PLACES = [f"{member}_{what}_bytes" for member in ("sample", *MEMBERS) for what in ("offset", "size")]


class NoShards(FileNotFoundError):
    """There is no shard with an index below the root."""


@dataclass(frozen=True)
class LoaderSelection:
    """Samples by shard and offset, in the order of shard and offset; `shards` are paths below `root`."""

    root: str
    shards: list[str]
    shard_of: np.ndarray
    places: dict[str, np.ndarray]
    keys: pa.Array

    def __len__(self) -> int:
        return len(self.shard_of)

    @property
    def fingerprint(self) -> str:
        """A digest of which samples are where: a place in the order means the same only while it stays the same."""
        digest = hashlib.sha256("\n".join(self.shards).encode())
        digest.update(self.shard_of.tobytes())
        digest.update(self.places["sample_offset_bytes"].tobytes())
        return digest.hexdigest()


def find_samples(root: str, where: str = "true") -> LoaderSelection:
    """Find the samples of all shards below `root` (any fsspec URL) that meet a SQL condition over their index.

    The condition is the caller's own SQL over the columns of `00000.parquet` and the hive columns license_group and
    batch; only the indexes are read.
    Raises: NoShards; duckdb.Error for a condition that does not run.
    """
    lake = Lake(root)
    shards = [path.removeprefix("/") for path in lake.find("", ".tar")]
    if not shards:
        raise NoShards(f"no .tar below {root}: give the folder that holds the shards")
    indexes = {_index_url(lake, path): number for number, path in enumerate(shards)}
    with open_duckdb(lake) as connection:
        connection.register("numbers", pa.table({"url": list(indexes), "shard": list(indexes.values())}))
        rows = connection.sql(f"""
            with samples as (
                select * from read_parquet({texts(indexes)}, filename = 'url', hive_partitioning = true)
            )
            select shard, sample_key, {", ".join(_PLACES)}
            from (select * from samples where ({where})) join numbers using (url)
            order by shard, sample_offset_bytes
        """).to_arrow_table()
    places = {name: rows[name].to_numpy() for name in _PLACES}
    return LoaderSelection(root, shards, rows["shard"].to_numpy(), places, rows["sample_key"].combine_chunks())


def _index_url(lake: Lake, shard: str) -> str:
    path = lake.full_path(index_path(shard))
    return path if lake.is_local else lake.fs.unstrip_protocol(path)


def epoch_order(count: int, *, seed: int, epoch: int, is_shuffled: bool) -> np.ndarray:
    """Give the order of all samples in one epoch: the same on every rank and worker."""
    if not is_shuffled:
        return np.arange(count)
    return np.random.default_rng([seed, epoch]).permutation(count)


def share_of(
    order: np.ndarray, *, rank: int, world_size: int, start: int, worker: int, workers: int, batch_size: int
) -> Iterator[int]:
    """Give one worker's share of an epoch.

    A rank has every `world_size`-th sample; `start` of them are done; of the rest, worker w has the batches w,
    w + workers, ... A DataLoader, which takes batches from its workers in turn, so gives the rank's samples in order,
    whatever the number of workers.
    """
    rest = order[rank::world_size][start:]
    for first in range(worker * batch_size, len(rest), workers * batch_size):
        yield from rest[first : first + batch_size].tolist()
