"""Bring core.pubmed_records of one partition up to date. How EFetch is asked and PubMed's XML is read stays out."""

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pmc_assets.entrez.answers import EFetchUnavailable
from pmc_assets.entrez.efetch import EFetch
from pmc_assets.entrez.listed import ArticleKey, Listed, read_listed
from pmc_assets.entrez.records import STAGE, parse_records
from pmc_assets.lake import Lake, Partition
from pmc_assets.rejects import Reject, reject_order, rejects_table
from pmc_assets.results import PREVIEW_ROWS, StageResult
from pmc_assets.schema import CORE_PUBMED_RECORDS, CORE_REJECTS

NOT_FETCHED = "record_not_fetched"
OFF = "EFetch is off (PMC_EFETCH_URL is empty)"
MISMATCHES_SHOWN = 5
PREVIEW_COLUMNS = ["pmid", "title", "journal_title", "year", "mesh_terms", "is_retracted"]


@dataclass(slots=True)
class Fetched:
    """What EFetch gave: rows and rejects by PMID; `problem` says why the rest was not asked for, "" if all was."""

    rows: dict[int, dict] = field(default_factory=dict)
    rejects: dict[int, Reject] = field(default_factory=dict)
    problem: str = ""


def update_pubmed_records(
    efetch: EFetch,
    lake: Lake,
    partition: Partition,
    now: datetime,
    refresh_after_days: float,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> StageResult:
    """Fetch the records of the partition's PMIDs that are not known or were asked for too long ago.

    Shape: listed = distinct PMIDs of file list and XML; each is a row or a reject. Records and rejects younger than
    `refresh_after_days` are kept without asking. Where EFetch is off or unavailable, old rows are kept however old,
    PMIDs without one are rejects `record_not_fetched`, and `details["efetch_problem"]` says why.
    """
    listed = read_listed(lake, partition)
    since = now - timedelta(days=refresh_after_days)
    old_rows, old_rejects = _read_old(lake, partition, listed)
    fresh = set(
        old_rows.filter(pc.greater(old_rows["fetched_at"], pa.scalar(since, pa.timestamp("us", "UTC"))))[
            "pmid"
        ].to_pylist()
    )
    fresh |= {pmid for pmid, reject in old_rejects.items() if reject.asked_at and reject.asked_at > since}
    to_ask = sorted(listed.articles.keys() - fresh)

    fetched = fetch_records(efetch, to_ask, listed, now, progress)
    rows = _merge_rows(old_rows, fetched)
    rejects = _merge_rejects(old_rejects, fetched, listed, set(rows["pmid"].to_pylist()))
    written = lake.write_table(CORE_PUBMED_RECORDS, rows, partition)
    lake.write_rejects(STAGE, rejects_table(rejects), partition)

    result = StageResult(
        listed=len(listed.articles),
        stored=rows.num_rows,
        rejected=Counter(reject.reason for reject in rejects),
        details=_details(efetch, listed, fetched, to_ask, rows.num_rows),
        preview=rows.select(PREVIEW_COLUMNS).slice(0, PREVIEW_ROWS),
    ).add_written(written)
    result.digest = content_digest(rows)
    return result


def fetch_records(
    efetch: EFetch, pmids: list[int], listed: Listed, now: datetime, progress: Callable[[int, int], None]
) -> Fetched:
    """Ask for records and match the answers by PMID; stops at the first batch that EFetch does not answer."""
    fetched = Fetched(problem=OFF if efetch.is_off and pmids else "")
    if efetch.is_off:
        return fetched
    try:
        for batch, xml in efetch.fetch(pmids):
            _match(fetched, batch, xml, listed, now)
            progress(len(fetched.rows) + len(fetched.rejects), len(pmids))
    except EFetchUnavailable as error:
        fetched.problem = str(error)
    return fetched


def _match(fetched: Fetched, batch: list[int], xml: bytes, listed: Listed, now: datetime) -> None:
    answer = parse_records(xml)
    rows = {row["pmid"]: row for row in answer.rows}
    rejects = {reject.name: reject for reject in answer.rejects}
    unasked = sorted(str(pmid) for pmid in rows.keys() - set(batch))
    missing = f"answered with other PMIDs: {', '.join(unasked)}" if unasked else "not in PubMed's answer"
    for pmid in batch:
        if pmid in rows:
            fetched.rows[pmid] = rows[pmid] | {"fetched_at": now}
        else:
            reject = rejects.get(str(pmid)) or Reject(STAGE, "record_missing", name=str(pmid), detail=missing)
            fetched.rejects[pmid] = _place(reject, listed.articles[pmid], now)


def _place(reject: Reject, article: ArticleKey, asked_at: datetime | None) -> Reject:
    return replace(reject, pmcid=article.pmcid, version=article.version, asked_at=asked_at)


def _read_old(lake: Lake, partition: Partition, listed: Listed) -> tuple[pa.Table, dict[int, Reject]]:
    """Read the rows and rejects of the last run whose PMIDs are still listed."""
    rows = lake.read_table(CORE_PUBMED_RECORDS, partition)
    rows = rows.filter(pc.is_in(rows["pmid"], pa.array(listed.articles, pa.int64())))
    rejects = [Reject(**row) for row in lake.read_table(CORE_REJECTS, partition, stem=STAGE).to_pylist()]
    return rows, {int(r.name): r for r in rejects if r.name and int(r.name) in listed.articles}


def _merge_rows(old: pa.Table, fetched: Fetched) -> pa.Table:
    replaced = pa.array([*fetched.rows, *fetched.rejects], pa.int64())
    kept = old.filter(pc.invert(pc.is_in(old["pmid"], replaced))).cast(CORE_PUBMED_RECORDS.arrow)
    new = CORE_PUBMED_RECORDS.from_rows(list(fetched.rows.values()))
    return pa.concat_tables([kept, new]).sort_by("pmid").combine_chunks()


def _merge_rejects(old: dict[int, Reject], fetched: Fetched, listed: Listed, stored: Iterable[int]) -> list[Reject]:
    """Give one reject per listed PMID without a row: of this run, of the last, or that it waits to be fetched."""
    waiting = {pmid: Reject(STAGE, NOT_FETCHED, name=str(pmid), detail=fetched.problem) for pmid in listed.articles}
    asked = {pmid: reject for pmid, reject in old.items() if reject.reason != NOT_FETCHED} | fetched.rejects
    rejects = [
        _place(reject, listed.articles[pmid], reject.asked_at)
        for pmid, reject in (waiting | asked).items()
        if pmid not in stored
    ]
    return sorted(rejects, key=reject_order)


def _details(
    efetch: EFetch, listed: Listed, fetched: Fetched, to_ask: list[int], stored: int
) -> dict[str, int | float | str | bool]:
    mismatches = [f"{k.pmcid}.{k.version}: {a} / {b}" for k, (a, b) in listed.mismatches.items()]
    return {
        "efetch_requests": efetch.request_count,
        "efetch_problem": fetched.problem,
        "records_fetched": len(fetched.rows),
        "records_kept": stored - len(fetched.rows),
        "records_not_fetched": len(to_ask) - len(fetched.rows) - len(fetched.rejects),
        "articles_without_pmid": listed.without_pmid,
        "pmid_mismatches": len(mismatches),
        "pmid_mismatch_examples": "; ".join(mismatches[:MISMATCHES_SHOWN]),
    }


def content_digest(rows: pa.Table) -> str:
    """Digest what the records say: the same after a refresh that changed nothing but `fetched_at`."""
    content = io.BytesIO()
    pq.write_table(rows.drop_columns("fetched_at").replace_schema_metadata(None), content)
    return hashlib.sha256(content.getvalue()).hexdigest()
