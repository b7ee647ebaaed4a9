"""Caption search: a full-text index over captions and mentions, kept current partition by partition.

It lies in the lake's folder `search/captions` and works where the lake is a local folder.
"""

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import tantivy

from pmc_assets.lake import Lake
from pmc_assets.results import StageResult
from pmc_assets.warehouse.derive import find_table
from pmc_assets.warehouse.listing import list_files
from pmc_assets.warehouse.packed_keys import pack_sql
from pmc_assets.warehouse.views import parquet_view, texts

FOLDER = "search/captions"
PARTITIONS = "partitions.json"
SAMPLES = "out.samples"
CAPTION_WEIGHT = 2.0
HEAP_BYTES = 256 * 2**20
COMMIT_ROWS = 500_000
ROWS_AT_ONCE = 4_096
MAX_HITS = 100_000
MAX_NESTING = 200
_OPENING = re.compile(r"\(|\bNOT\b")

HITS = pa.schema([("packed_key", pa.uint64()), ("score", pa.float32())])


class NoSearch(ValueError):
    """The lake has no search index, or it cannot have one."""


class BadSearch(ValueError):
    """Words that cannot be searched for."""


def update_search(lake: Lake) -> StageResult:
    """Index the partitions of out.samples that are new or changed, forget those that are gone.

    Shape: one document per sample; listed are the samples, stored the documents. A kill loses the last commit only.
    Raises: NoSearch for a remote lake.
    """
    folder = _folder(lake)
    folder.mkdir(parents=True, exist_ok=True)
    files = list_files(lake, [find_table(SAMPLES)])[SAMPLES]
    with lake.lock(FOLDER):
        known = _known_partitions(folder)
        index = tantivy.Index(_schema(), path=str(folder), reuse=True)
        writer = index.writer(HEAP_BYTES)
        gone = [path for path in known if path not in files]
        changed = [path for path, version in files.items() if known.get(path) != version]
        for path in gone:
            writer.delete_documents("partition", path)
            del known[path]
        pending = indexed = 0
        for done, path in enumerate(changed, start=1):
            writer.delete_documents("partition", path)
            pending += _add_partition(lake, writer, path)
            known[path] = files[path]
            if pending >= COMMIT_ROWS or done == len(changed):
                indexed, pending = indexed + pending, 0
                _commit(writer, folder, known)
        if gone and not changed:
            _commit(writer, folder, known)
        writer.wait_merging_threads()
        index.reload()
        count = index.searcher().num_docs
    samples = sum(pq.read_metadata(lake.full_path(path)).num_rows for path in files)
    size_bytes = sum(file.stat().st_size for file in folder.iterdir())
    digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    details: dict[str, int | float | str | bool] = {"indexed_samples": indexed, "partitions_indexed": len(changed)}
    return StageResult(
        samples, count, rows=count, size_bytes=size_bytes, digest=digest, paths=[FOLDER], details=details
    )


def search_captions(lake: Lake, query: str, limit: int = MAX_HITS) -> pa.Table:
    """Find samples whose caption or mentions hold all words of a query, best first.

    Shape: packed_key, score (BM25, captions weigh twice). Source: tantivy's query language: "a phrase", a OR b,
    -without, caption:word; what it cannot parse is taken word by word.
    Raises: NoSearch where there is no index; BadSearch for no hits at most, or words nested too deep for the engine.
    """
    folder = _folder(lake)
    if not (folder / PARTITIONS).exists():
        raise NoSearch(f"{lake.url} has no search index: make it by `pmc-assets run --select 'key:\"search\"'`")
    if limit < 1:
        raise BadSearch(f"at most {limit} hits is no search: ask for one or more")
    if len(_OPENING.findall(query)) > MAX_NESTING:
        raise BadSearch(f"a search has at most {MAX_NESTING} brackets and NOTs")
    index = _open(str(folder))
    index.reload()
    searcher = index.searcher()
    if searcher.num_docs == 0:
        return HITS.empty_table()
    parsed, _ = index.parse_query_lenient(
        query, ["caption", "mentions"], field_boosts={"caption": CAPTION_WEIGHT}, conjunction_by_default=True
    )
    hits = searcher.search(parsed, min(limit, searcher.num_docs), count=False).hits
    keys = searcher.fast_field_values("packed_key", [address for _, address in hits])
    return pa.table({"packed_key": keys, "score": [score for score, _ in hits]}, schema=HITS)


@lru_cache(maxsize=4)
def _open(folder: str) -> tantivy.Index:
    return tantivy.Index.open(folder)


def _folder(lake: Lake) -> Path:
    if not lake.is_local:
        raise NoSearch(f"{lake.url}: caption search needs the lake in a local folder")
    return Path(lake.full_path(FOLDER))


def _known_partitions(folder: Path) -> dict[str, str]:
    path = folder / PARTITIONS
    return json.loads(path.read_bytes()) if path.exists() else {}


def _commit(writer: tantivy.IndexWriter, folder: Path, known: dict[str, str]) -> None:
    writer.commit()
    local = folder / f"{PARTITIONS}.tmp"
    local.write_text(json.dumps(known, indent=0))
    local.replace(folder / PARTITIONS)


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("packed_key", stored=False, indexed=False, fast=True)
    builder.add_text_field("partition", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("caption", stored=False, tokenizer_name="en_stem")
    builder.add_text_field("mentions", stored=False, tokenizer_name="en_stem", index_option="freq")
    return builder.build()


def _add_partition(lake: Lake, writer: tantivy.IndexWriter, path: str) -> int:
    samples = find_table(SAMPLES)
    with duckdb.connect() as connection:
        connection.execute(parquet_view("samples", samples.arrow, (), texts([lake.full_path(path)])))
        reader = connection.sql(
            f"select {pack_sql('s')} as packed_key, caption,"
            " array_to_string(list_transform(mentions, lambda m: m.text), chr(10)) as mentions from samples as s"
        ).to_arrow_reader(ROWS_AT_ONCE)
        count = 0
        for batch in reader:
            for row in batch.to_pylist():
                document = tantivy.Document()
                document.add_unsigned("packed_key", row["packed_key"])
                document.add_text("partition", path)
                document.add_text("caption", row["caption"])
                document.add_text("mentions", row["mentions"] or "")
                writer.add_document(document)
            count += batch.num_rows
    return count
