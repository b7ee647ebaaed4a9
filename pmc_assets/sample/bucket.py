"""Write the embedded sample: a bucket in NLM's layout, its truth table and PubMed records beside it."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pmc_assets.batches import DEFAULT_BATCH_IDS
from pmc_assets.sample.deposit import Deposit
from pmc_assets.sample.generation import SampleSize, make_articles
from pmc_assets.sample.inventory import InventoryWriter, modified_at
from pmc_assets.sample.plan import FIRST_ID
from pmc_assets.sample.records import RECORDS_SCHEMA
from pmc_assets.sample.row_groups import open_row_groups
from pmc_assets.sample.sink import Sink
from pmc_assets.sample.truth import TRUTH_SCHEMA

GENERATOR_VERSION = 6
INVENTORY_DAY = datetime(2026, 11, 1)
ARTICLES_PER_BATCH = 1_000
MAX_ARTICLES_PER_BATCH = DEFAULT_BATCH_IDS - FIRST_ID - 1
LARGE_SAMPLE_ARTICLES = 1_000
STATE_SUFFIX = ".sample.json"
TRUTH_SUFFIX = ".truth.parquet"
RECORDS_SUFFIX = ".pubmed.parquet"

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
    workers: int = 1,
    progress: Progress | None = None,
) -> SampleWritten:
    """Write a sample of so many articles below `url`; the same arguments give the same bytes.

    Memory does not grow with `articles`; `workers` processes draw. `progress` gets articles done and articles in all.
    A complete sample of the same arguments is left as it is; an interrupted or other one is replaced.
    Raises: NotASample where `url` holds other things; ValueError for a size that does not fit into a batch.
    """
    if not 1 <= articles_per_batch <= MAX_ARTICLES_PER_BATCH or articles < 1:
        raise ValueError(f"articles must be at least 1, articles_per_batch 1 to {MAX_ARTICLES_PER_BATCH}")
    sink, size = Sink(url), SampleSize(articles, articles_per_batch, seed)
    arguments = asdict(size) | {"generator_version": GENERATOR_VERSION, "inventory_day": f"{inventory_day:%Y-%m-%d}"}
    found = sink.read_beside(STATE_SUFFIX)
    if found.get("written") and found.get("arguments") == arguments and not sink.is_empty():
        return SampleWritten(**found["written"], is_new=False)
    if not found and not sink.is_empty():
        raise NotASample(f"{sink.url} is not empty and no sample was written there: give another place")
    sink.clear()
    sink.write_beside(STATE_SUFFIX, {"arguments": arguments, "written": None})
    written = _write(sink, size, inventory_day, workers, progress or (lambda done, total: None))
    counts = {name: value for name, value in asdict(written).items() if name != "is_new"}
    sink.write_beside(STATE_SUFFIX, {"arguments": arguments, "written": counts})
    return written


def _write(sink: Sink, size: SampleSize, day: datetime, workers: int, progress: Progress) -> SampleWritten:
    inventory = InventoryWriter(size.seed, day, shards=2 if size.articles < LARGE_SAMPLE_ARTICLES else 5)
    inventory.add("metadata/README.txt", modified_at(day, 0), hashlib.md5(b"").hexdigest())
    versions = images = 0
    with (
        open_row_groups(sink, TRUTH_SUFFIX, TRUTH_SCHEMA) as truth,
        open_row_groups(sink, RECORDS_SUFFIX, RECORDS_SCHEMA) as records,
    ):
        for index, deposits in enumerate(make_articles(size, workers)):
            for deposit in deposits:
                write_deposit(sink, deposit)
                inventory.add(deposit.metadata_key, modified_at(day, index), deposit.etag)
                truth.add(deposit.truth)
                records.add(record_rows(deposit))
                versions += 1
                images += len(deposit.truth)
            progress(index + 1, size.articles)
    inventory.finish(sink)
    paths = sink.beside(TRUTH_SUFFIX), sink.beside(RECORDS_SUFFIX)
    return SampleWritten(sink.url, *paths, size.articles, versions, images, sink.size_bytes, is_new=True)


def write_deposit(sink: Sink, deposit: Deposit) -> None:
    for key, data in deposit.objects.items():
        sink.write(key, data)


def record_rows(deposit: Deposit) -> list[dict[str, Any]]:
    """Give the deposit's row of the records table. Empty: [] where PubMed has no record."""
    return [{"pmid": deposit.pmid, "xml": deposit.record}] if deposit.record else []
