"""Write the embedded sample: a bucket in NLM's layout, its truth table and PubMed records beside it."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pmc_assets.sample.deposit import Deposit, make_deposit
from pmc_assets.sample.inventory import InventoryWriter, modified_at
from pmc_assets.sample.plan import BATCH_IDS, plan_article, pmcid_of
from pmc_assets.sample.records import RECORDS_SCHEMA
from pmc_assets.sample.sink import Sink
from pmc_assets.sample.truth import TRUTH_SCHEMA

GENERATOR_VERSION = 1
INVENTORY_DAY = datetime(2026, 11, 1)
ARTICLES_PER_BATCH = 1_000
STATE_SUFFIX = ".sample.json"
TRUTH_SUFFIX = ".truth.parquet"
RECORDS_SUFFIX = ".pubmed.parquet"
ROW_GROUP_ROWS = 1_000

Progress = Callable[[int, int], None]


class NotASample(Exception):
    """The place holds something that this generator did not write."""


@dataclass(frozen=True, slots=True)
class SampleWritten:
    """What is there now. `is_new` is False where the same sample was found complete and nothing was written."""

    url: str
    truth_path: str
    records_path: str
    articles: int
    versions: int
    images: int
    size_bytes: int
    is_new: bool


def write_sample(
    url: str,
    articles: int,
    seed: int = 0,
    *,
    articles_per_batch: int = ARTICLES_PER_BATCH,
    inventory_day: datetime = INVENTORY_DAY,
    progress: Progress | None = None,
) -> SampleWritten:
    """Write a sample of so many articles below `url`; the same arguments give the same bytes.

    Memory does not grow with `articles`. A complete sample of the same arguments is left as it is; an interrupted or
    other one is replaced.
    Raises: NotASample where `url` holds other things; ValueError for a size that does not fit into a batch.
    """
    if not 1 <= articles_per_batch <= BATCH_IDS - 8 or articles < 1:
        raise ValueError(f"articles must be at least 1, articles_per_batch 1 to {BATCH_IDS - 8}")
    sink = Sink(url)
    wanted = {
        "generator_version": GENERATOR_VERSION,
        "articles": articles,
        "seed": seed,
        "articles_per_batch": articles_per_batch,
        "inventory_day": f"{inventory_day:%Y-%m-%d}",
    }
    found = sink.read_beside(STATE_SUFFIX)
    if found.get("written") and found.get("arguments") == wanted and not sink.is_empty():
        return SampleWritten(**found["written"], is_new=False)
    if not found and not sink.is_empty():
        raise NotASample(f"{sink.url} is not empty and no sample was written there: give another place")
    sink.clear()
    sink.write_beside(STATE_SUFFIX, {"arguments": wanted, "written": None})
    written = _write(sink, articles, seed, articles_per_batch, inventory_day, progress)
    counts = {name: value for name, value in asdict(written).items() if name != "is_new"}
    sink.write_beside(STATE_SUFFIX, {"arguments": wanted, "written": counts})
    return written


def _write(
    sink: Sink, articles: int, seed: int, articles_per_batch: int, day: datetime, progress: Progress | None
) -> SampleWritten:
    inventory = InventoryWriter(seed, day, shards=2 if articles < 1_000 else 5)
    inventory.add("metadata/README.txt", modified_at(day, 0), hashlib.md5(b"").hexdigest())
    versions = images = 0
    with _tables(sink) as (truth, records):
        for index, deposits in enumerate(_deposits(seed, articles, articles_per_batch)):
            for deposit in deposits:
                for key, data in deposit.objects.items():
                    sink.write(key, data)
                etag = hashlib.md5(deposit.metadata).hexdigest()
                inventory.add(deposit.metadata_key, modified_at(day, index), etag)
                truth.add(deposit.truth)
                records.add([{"pmid": deposit.pmid, "xml": deposit.record}] if deposit.record else [])
                versions += 1
                images += len(deposit.truth)
            if progress:
                progress(index + 1, articles)
    inventory.finish(sink)
    paths = sink.beside(TRUTH_SUFFIX), sink.beside(RECORDS_SUFFIX)
    return SampleWritten(sink.url, *paths, articles, versions, images, sink.size_bytes, is_new=True)


def _deposits(seed: int, articles: int, articles_per_batch: int) -> Iterator[list[Deposit]]:
    for index in range(articles):
        pmcid = pmcid_of(index, articles, articles_per_batch)
        yield [make_deposit(plan) for plan in plan_article(seed, index, pmcid)]


class _RowGroups:
    """A Parquet file written in row groups of bounded size."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self.writer, self.rows = writer, []  # type: ignore[var-annotated]

    def add(self, rows: list[dict[str, Any]]) -> None:
        self.rows.extend(rows)
        if len(self.rows) >= ROW_GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        self.writer.write_table(pa.Table.from_pylist(self.rows, self.writer.schema))
        self.rows.clear()


class _tables:  # noqa: N801
    """The two tables beside the bucket, open for writing."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def __enter__(self) -> tuple[_RowGroups, _RowGroups]:
        places = ((TRUTH_SUFFIX, TRUTH_SCHEMA), (RECORDS_SUFFIX, RECORDS_SCHEMA))
        self.files = [self.sink.fs.open(self.sink.beside(suffix), "wb") for suffix, _ in places]
        self.groups = [
            _RowGroups(pq.ParquetWriter(file, schema, compression="zstd"))
            for file, (_, schema) in zip(self.files, places, strict=True)
        ]
        return self.groups[0], self.groups[1]

    def __exit__(self, *exception: object) -> None:
        for file, group in zip(self.files, self.groups, strict=True):
            group.flush()
            group.writer.close()
            file.close()
