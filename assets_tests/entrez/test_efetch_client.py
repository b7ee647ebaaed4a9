"""Every situation that E-utilities are known for, against a local server that commits it."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fault_server import FAST, SECRET_EMAIL, SECRET_KEY, Eutils, article, record_set

from pmc_assets.entrez.answers import EFetchRefused, EFetchUnavailable, read_answer
from pmc_assets.entrez.efetch import PMIDS_PER_REQUEST, EFetch
from pmc_assets.entrez.records import parse_records
from pmc_assets.http_faults import TransientFault, retry_after_s

Make = Callable[..., EFetch]
PASSING = [
    "429",
    "rate limit under 200",
    "no summary",
    "500",
    "502",
    "503",
    "html under 200",
    "truncated",
    "empty body",
    "cut in mid-body",
    "reset",
    "stall",
]


def pmids_of(client: EFetch, pmids: list[int]) -> list[int]:
    return sorted(row["pmid"] for _, xml in client.fetch(pmids) for row in parse_records(xml).rows)


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_is_asked_again(fault: str, eutils: Eutils, make_client: Make) -> None:
    eutils.add(1, 2, 3)
    eutils.faults.append(fault)
    assert pmids_of(make_client(eutils.url), [1, 2, 3]) == [1, 2, 3]
    assert [asked.pmids for asked in eutils.asked] == [[1, 2, 3]] * 2


def test_a_fault_in_every_batch_is_survived(eutils: Eutils, make_client: Make) -> None:
    pmids = list(range(1, len(PASSING) * PMIDS_PER_REQUEST // 2 + 1))
    eutils.add(*pmids)
    for pair in zip(PASSING[::2], PASSING[1::2], strict=True):
        eutils.faults.extend([*pair, ""])
    assert pmids_of(make_client(eutils.url), pmids) == pmids
    assert len(eutils.asked) == len(PASSING) * 3 // 2


@pytest.mark.parametrize("fault", ["404", "bad key", "bad key in words", "301"])
def test_any_other_refusal_stops_at_once(fault: str, eutils: Eutils, make_client: Make) -> None:
    eutils.faults.extend([fault] * 9)
    with pytest.raises(EFetchRefused, match="check PMC_EFETCH_URL and NCBI_API_KEY") as refusal:
        list(make_client(eutils.url).fetch([1]))
    assert len(eutils.asked) == 1
    assert SECRET_KEY not in str(refusal.value)


def test_an_unusable_url_is_a_refusal(make_client: Make) -> None:
    with pytest.raises(EFetchRefused, match="not usable.*check PMC_EFETCH_URL"):
        list(make_client("eutils.example/no-scheme").fetch([1]))


def test_retry_after_is_kept_for_everyone(eutils: Eutils, make_client: Make) -> None:
    eutils.add(1)
    eutils.faults.append("429")
    eutils.retry_after = "1"
    assert pmids_of(make_client(eutils.url), [1]) == [1]
    first, second = (asked.at for asked in eutils.asked)
    assert 1.0 <= second - first < 5.0


def test_a_retry_after_beyond_the_budget_gives_up_at_once(eutils: Eutils, make_client: Make) -> None:
    eutils.faults.append("429")
    eutils.retry_after = "86400"
    started = time.monotonic()
    with pytest.raises(EFetchUnavailable, match="over the request rate"):
        list(make_client(eutils.url).fetch([1]))
    assert time.monotonic() - started < 10.0


def test_a_server_that_never_recovers_ends_within_the_budget(eutils: Eutils, make_client: Make) -> None:
    eutils.faults.extend(["503"] * 10_000)
    client = make_client(eutils.url, replace(FAST, retry_budget_s=1.0))
    started = time.monotonic()
    with pytest.raises(EFetchUnavailable, match="check the network or PMC_EFETCH_URL"):
        list(client.fetch([1]))
    assert time.monotonic() - started < 2.0


def test_the_budget_is_of_all_batches_together(eutils: Eutils, make_client: Make) -> None:
    eutils.add(*range(1, 2001))
    eutils.faults.extend(["stall", ""] * 20)
    client = make_client(eutils.url, replace(FAST, retry_budget_s=1.0))
    answered = 0
    with pytest.raises(EFetchUnavailable):
        for batch, _ in client.fetch(list(range(1, 2001))):
            answered += len(batch)
    assert 200 <= answered < 2000


def test_a_server_that_is_down_costs_the_next_client_one_attempt(eutils: Eutils, make_client: Make) -> None:
    eutils.stop()
    first, second = make_client(eutils.url), make_client(eutils.url)
    for client, attempts in ((first, 3), (second, 1)):
        with pytest.raises(EFetchUnavailable):
            list(client.fetch([1]))
        assert client.request_count == attempts


def test_an_answer_ends_the_time_of_single_attempts(eutils: Eutils, make_client: Make) -> None:
    eutils.add(1)
    make_client(eutils.url).gate.note_down()
    assert pmids_of(make_client(eutils.url), [1]) == [1]
    eutils.faults.append("503")
    assert pmids_of(make_client(eutils.url), [1]) == [1]


def test_unknown_pmids_are_an_empty_set(eutils: Eutils, make_client: Make) -> None:
    assert pmids_of(make_client(eutils.url), [5]) == []


def test_ids_that_are_no_ids_are_an_empty_set(eutils: Eutils, make_client: Make) -> None:
    eutils.faults.append("empty id list")
    assert pmids_of(make_client(eutils.url), [99999999999]) == []
    assert len(eutils.asked) == 1


def test_requests_are_posts_of_at_most_200_ids(eutils: Eutils, make_client: Make) -> None:
    wanted = list(range(1, 2 * PMIDS_PER_REQUEST + 2))
    list(make_client(eutils.url).fetch(wanted))
    assert [len(asked.pmids) for asked in eutils.asked] == [200, 200, 1]
    assert {(asked.method, asked.path) for asked in eutils.asked} == {("POST", "/entrez/eutils/efetch.fcgi")}
    form = eutils.asked[0].form
    assert {name: form[name] for name in ("db", "retmode", "tool", "api_key", "email")} == {
        "db": "pubmed",
        "retmode": "xml",
        "tool": "pmc_assets",
        "api_key": SECRET_KEY,
        "email": SECRET_EMAIL,
    }


def test_no_secret_is_logged_raised_or_shown(
    eutils: Eutils, make_client: Make, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    eutils.add(1)
    client = make_client(eutils.url)
    seen = [repr(client)]
    for fault in [*PASSING, "bad key", "bad key in words", "404"]:
        eutils.faults.append(fault)
        try:
            list(client.fetch([1]))
        except EFetchUnavailable as error:
            seen += [repr(error), repr(error.__cause__), repr(error.__context__)]
    eutils.stop()
    try:
        list(make_client(eutils.url).fetch([1]))
    except EFetchUnavailable as error:
        seen.append(repr(error))
    printed = capfd.readouterr()
    everything = "\n".join([*seen, caplog.text, printed.out, printed.err])
    assert "efetch.fcgi" in everything
    assert SECRET_KEY not in everything
    assert SECRET_EMAIL not in everything


def test_retry_after_as_a_date() -> None:
    now = datetime(2026, 11, 22, 19, 0, 0, tzinfo=UTC)
    assert retry_after_s({"Retry-After": "Sun, 22 Nov 2026 19:00:30 GMT"}, now) == 30.0
    assert retry_after_s({"Retry-After": "soon"}, now) is None
    assert retry_after_s({}, now) is None


def test_an_abstract_that_quotes_an_error_is_no_error() -> None:
    body = record_set(article(1, "&lt;ERROR>API rate limit exceeded&lt;/ERROR>"))
    assert read_answer(200, {}, body, datetime(2026, 11, 22, tzinfo=UTC)) == body


def test_an_error_under_200_is_asked_again() -> None:
    with pytest.raises(TransientFault, match="backend"):
        read_answer(200, {}, b"<eFetchResult><ERROR>backend</ERROR></eFetchResult>", datetime(2026, 1, 1, tzinfo=UTC))
