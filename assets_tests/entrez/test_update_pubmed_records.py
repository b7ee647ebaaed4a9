"""One partition of core.pubmed_records, brought up to date against a local EFetch."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fault_server import Eutils, article, book

from pmc_assets.entrez.efetch import EFetch
from pmc_assets.entrez.update import update_pubmed_records
from pmc_assets.lake import Lake, Partition
from pmc_assets.results import StageResult
from pmc_assets.schema import CORE_ARTICLES, CORE_PUBMED_RECORDS, CORE_REJECTS, RAW_FILELISTS

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REFRESH_DAYS = 30
PARTITION = Partition.of(license_group="commercial", batch="PMC00001xxxx")
Make = Callable[..., EFetch]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def list_articles(lake: Lake, pmids: dict[str, int | None], xml_pmids: dict[str, int | None] | None = None) -> None:
    rows = [{"pmcid": pmcid, "version": 1, "pmid": pmid} for pmcid, pmid in pmids.items()]
    lake.write_table(RAW_FILELISTS, RAW_FILELISTS.from_rows(rows), PARTITION)
    parsed = [
        {"pmcid": pmcid, "version": 1, "xml_pmid": pmid, "is_retracted": False, "is_recovered": False}
        for pmcid, pmid in (xml_pmids or {}).items()
    ]
    lake.write_table(CORE_ARTICLES, CORE_ARTICLES.from_rows(parsed), PARTITION)


def update(client: EFetch, lake: Lake, now: datetime = NOW) -> StageResult:
    result = update_pubmed_records(client, lake, PARTITION, now, REFRESH_DAYS)
    assert result.is_accounted_for
    assert result.rows == result.stored
    return result


def stored(lake: Lake) -> dict[int, str]:
    rows = lake.read_table(CORE_PUBMED_RECORDS, PARTITION).to_pylist()
    assert [row["pmid"] for row in rows] == sorted(row["pmid"] for row in rows)
    return {row["pmid"]: row["title"] for row in rows}


def rejected(lake: Lake) -> list[tuple]:
    rows = lake.read_table(CORE_REJECTS, PARTITION, stem="pubmed_records").to_pylist()
    return [(row["pmcid"], row["version"], row["name"], row["reason"]) for row in rows]


def files(lake: Lake) -> dict[str, bytes]:
    paths = lake.find("core/pubmed_records") + lake.find("core/rejects")
    return {path: lake.read_bytes(path) for path in paths}


def test_records_are_matched_by_pmid_in_whatever_order(eutils: Eutils, make_client: Make, lake: Lake) -> None:
    pmids = random.Random(4).sample(range(1, 10**8), 500)
    eutils.add(*pmids)
    list_articles(lake, {f"PMC{10001 + index}": pmid for index, pmid in enumerate(pmids)})
    result = update(make_client(eutils.url), lake)
    assert stored(lake) == {pmid: f"Title of {pmid}" for pmid in pmids}
    assert (result.listed, result.stored, result.details["efetch_requests"]) == (500, 500, 3)


def test_missing_merged_book_and_unreadable_records_lose_only_themselves(
    eutils: Eutils, make_client: Make, lake: Lake
) -> None:
    eutils.add(1, 2, 3)
    eutils.records[12] = article(99, "merged into 99")
    eutils.records[13] = book(13)
    eutils.records[14] = article(14, "A & B")
    list_articles(lake, {f"PMC{10000 + pmid}": pmid for pmid in (1, 2, 3, 11, 12, 13, 14)})
    result = update(make_client(eutils.url), lake)
    assert set(stored(lake)) == {1, 2, 3}
    assert rejected(lake) == [
        ("PMC10011", 1, "11", "record_missing"),
        ("PMC10012", 1, "12", "record_missing"),
        ("PMC10013", 1, "13", "record_is_book"),
        ("PMC10014", 1, "14", "record_unreadable"),
    ]
    assert result.rejected.total() == 4
    details = lake.read_table(CORE_REJECTS, PARTITION, stem="pubmed_records")["detail"].to_pylist()
    assert "99" in details[1]


def test_an_unchanged_rerun_asks_nothing_and_gives_identical_bytes(
    eutils: Eutils, make_client: Make, lake: Lake
) -> None:
    eutils.add(*range(1, 300))
    eutils.records[7] = article(
        7, body="<Abstract><AbstractText Label='A'>x</AbstractText></Abstract>", title="α<sub>2</sub>"
    )
    list_articles(lake, {f"PMC{10000 + pmid}": pmid for pmid in range(1, 303)} | {"PMC10999": None})
    first = update(make_client(eutils.url), lake)
    before, asked = files(lake), len(eutils.asked)
    again = update(make_client(eutils.url), lake, NOW + timedelta(days=1))
    assert len(eutils.asked) == asked == 2
    assert files(lake) == before
    assert len(before) == 2
    assert (again.digest, again.rejected, again.size_bytes) == (first.digest, first.rejected, first.size_bytes)
    assert again.details["articles_without_pmid"] == 1


def test_a_lake_filled_in_two_runs_equals_one_filled_in_one(
    eutils: Eutils, make_client: Make, lake: Lake, tmp_path: Path
) -> None:
    eutils.add(*range(1, 400))
    everything = {f"PMC{10000 + pmid}": pmid for pmid in range(1, 401)}
    list_articles(lake, dict(list(everything.items())[::2]))
    update(make_client(eutils.url), lake)
    list_articles(lake, everything)
    update(make_client(eutils.url), lake)
    other = Lake(str(tmp_path / "other"))
    list_articles(other, everything)
    update(make_client(eutils.url), other)
    assert files(lake) == files(other)


def test_only_old_and_new_pmids_are_asked_for(eutils: Eutils, make_client: Make, lake: Lake) -> None:
    eutils.add(1, 2, 3)
    list_articles(lake, {"PMC10001": 1, "PMC10004": 4})
    first = update(make_client(eutils.url), lake)
    list_articles(lake, {"PMC10001": 1, "PMC10002": 2, "PMC10004": 4})
    update(make_client(eutils.url), lake, NOW + timedelta(days=20))
    assert eutils.asked[-1].pmids == [2]
    eutils.records[1] = article(1, "Corrected")
    third = update(make_client(eutils.url), lake, NOW + timedelta(days=31))
    assert eutils.asked[-1].pmids == [1, 4]
    assert stored(lake) == {1: "Corrected", 2: "Title of 2"}
    assert third.digest != first.digest


def test_a_refresh_that_finds_nothing_new_keeps_the_digest(eutils: Eutils, make_client: Make, lake: Lake) -> None:
    eutils.add(1, 2)
    list_articles(lake, {"PMC10001": 1, "PMC10002": 2})
    first = update(make_client(eutils.url), lake)
    later = NOW + timedelta(days=31)
    again = update(make_client(eutils.url), lake, later)
    assert again.details["records_fetched"] == 2
    assert again.digest == first.digest
    assert set(lake.read_table(CORE_PUBMED_RECORDS, PARTITION)["fetched_at"].to_pylist()) == {later}


def test_a_record_that_pubmed_withdrew_becomes_a_reject(eutils: Eutils, make_client: Make, lake: Lake) -> None:
    eutils.add(1, 2)
    list_articles(lake, {"PMC10001": 1, "PMC10002": 2})
    update(make_client(eutils.url), lake)
    del eutils.records[2]
    update(make_client(eutils.url), lake, NOW + timedelta(days=31))
    assert set(stored(lake)) == {1}
    assert rejected(lake) == [("PMC10002", 1, "2", "record_missing")]


def test_rejects_that_are_kept_are_no_records_that_are_kept(eutils: Eutils, make_client: Make, lake: Lake) -> None:
    eutils.add(1)
    list_articles(lake, {"PMC10001": 1, "PMC10002": 2})
    update(make_client(eutils.url), lake)
    assert update(make_client(eutils.url), lake).details["records_kept"] == 1


def test_a_record_that_appears_later_replaces_its_reject(eutils: Eutils, make_client: Make, lake: Lake) -> None:
    list_articles(lake, {"PMC10001": 1})
    update(make_client(eutils.url), lake)
    assert lake.find("core/pubmed_records") == []
    eutils.add(1)
    update(make_client(eutils.url), lake, NOW + timedelta(days=31))
    assert set(stored(lake)) == {1}
    assert lake.find("core/rejects") == []


def test_an_article_that_left_takes_its_record_and_reject_along(eutils: Eutils, make_client: Make, lake: Lake) -> None:
    eutils.add(1, 2)
    list_articles(lake, {"PMC10001": 1, "PMC10002": 2, "PMC10003": 3})
    update(make_client(eutils.url), lake)
    list_articles(lake, {"PMC10002": 2})
    assert update(make_client(eutils.url), lake).details["efetch_requests"] == 0
    assert set(stored(lake)) == {2}
    assert rejected(lake) == []


@pytest.mark.parametrize("how", ["off", "down", "refused"])
def test_without_efetch_old_rows_stay_and_the_rest_is_named(
    how: str, eutils: Eutils, make_client: Make, lake: Lake
) -> None:
    eutils.add(1, 2)
    list_articles(lake, {"PMC10001": 1})
    update(make_client(eutils.url), lake)
    list_articles(lake, {"PMC10001": 1, "PMC10002": 2})
    if how == "refused":
        eutils.faults.append("bad key")
    if how == "down":
        eutils.stop()
    result = update(make_client("" if how == "off" else eutils.url), lake, NOW + timedelta(days=400))
    assert set(stored(lake)) == {1}
    assert rejected(lake) == [("PMC10002", 1, "2", "record_not_fetched")]
    assert result.details["records_not_fetched"] == 2
    assert {"off": "is off", "down": "check the network", "refused": "NCBI_API_KEY"}[how] in str(
        result.details["efetch_problem"]
    )
    (reject,) = lake.read_table(CORE_REJECTS, PARTITION, stem="pubmed_records").to_pylist()
    assert reject["detail"] == result.details["efetch_problem"]


def test_what_was_answered_before_the_end_is_kept_and_the_rest_asked_next_time(
    eutils: Eutils, make_client: Make, lake: Lake
) -> None:
    eutils.add(*range(1, 501))
    list_articles(lake, {f"PMC{10000 + pmid}": pmid for pmid in range(1, 501)})
    eutils.faults.extend(["", "404"])
    result = update(make_client(eutils.url), lake)
    assert (result.stored, dict(result.rejected)) == (200, {"record_not_fetched": 300})
    result = update(make_client(eutils.url), lake)
    assert (result.stored, result.rejected.total(), result.details["records_fetched"]) == (500, 0, 300)


def test_efetch_off_with_nothing_to_ask_is_no_problem(make_client: Make, lake: Lake) -> None:
    list_articles(lake, {"PMC10001": None})
    assert update(make_client(""), lake).details["efetch_problem"] == ""


def test_a_pmid_of_the_file_list_and_another_in_the_xml_are_both_kept(
    eutils: Eutils, make_client: Make, lake: Lake
) -> None:
    eutils.add(1, 2, 3, 30)
    list_articles(
        lake,
        {"PMC10001": 1, "PMC10002": None, "PMC10003": 3, "PMC10004": 3},
        {"PMC10001": 1, "PMC10002": 2, "PMC10003": 30, "PMC10004": None},
    )
    result = update(make_client(eutils.url), lake)
    assert set(stored(lake)) == {1, 2, 3, 30}
    assert result.listed == 4
    assert result.details["pmid_mismatches"] == 1
    assert result.details["pmid_mismatch_examples"] == "PMC10003.1: 3 / 30"


def test_the_real_records_go_through(eutils: Eutils, make_client: Make, lake: Lake, shared: Path) -> None:
    real = (shared / "entrez" / "pubmed20n0014.first300.xml").read_bytes()
    records = [
        b"<PubmedArticle>" + part.partition(b"</PubmedArticle>")[0] for part in real.split(b"<PubmedArticle>")[1:]
    ]
    pmids = [int(record.partition(b'<PMID Version="1">')[2].partition(b"<")[0]) for record in records]
    eutils.records = {pmid: record + b"</PubmedArticle>" for pmid, record in zip(pmids, records, strict=True)}
    list_articles(lake, {f"PMC{10000 + index}": pmid for index, pmid in enumerate(pmids)})
    result = update(make_client(eutils.url), lake)
    assert (result.stored, result.rejected.total(), len(set(pmids))) == (300, 0, 300)
