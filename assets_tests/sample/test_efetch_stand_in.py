"""The EFetch stand-in answers as NCBI does."""

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest
from lxml import etree

from pmc_assets.sample.bucket import write_sample
from pmc_assets.sample.efetch import EFetchStandIn, serve_efetch
from pmc_assets.sample.plan import FIRST_PMID

PMIDS = [FIRST_PMID + index for index in range(4)]


@pytest.fixture(scope="module")
def records_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_sample(str(tmp_path_factory.mktemp("efetch") / "bucket"), 4).records_path


@pytest.fixture
def stand_in(records_path: str) -> Iterator[EFetchStandIn]:
    with EFetchStandIn(records_path) as server:
        yield server


def post(base_url: str, ids: str) -> bytes:
    body = urllib.parse.urlencode({"db": "pubmed", "retmode": "xml", "id": ids}).encode()
    with urllib.request.urlopen(base_url + "efetch.fcgi", body) as answer:
        return answer.read()


def answered(xml: bytes) -> list[int]:
    return [int(e.text) for e in etree.fromstring(xml).iterfind("PubmedArticle/MedlineCitation/PMID")]


def test_known_ids_once_and_unknown_left_out(stand_in: EFetchStandIn) -> None:
    assert sorted(answered(post(stand_in.base_url, f"{PMIDS[1]},{PMIDS[0]},{PMIDS[1]},12345"))) == PMIDS[:2]
    assert stand_in.requests == [[str(PMIDS[1]), str(PMIDS[0]), str(PMIDS[1]), "12345"]]


def test_get_and_unknown_only(records_path: str) -> None:
    with serve_efetch(records_path) as base_url:
        with urllib.request.urlopen(f"{base_url}efetch.fcgi?db=pubmed&id={PMIDS[2]}") as answer:
            assert answered(answer.read()) == [PMIDS[2]]
        assert answered(post(base_url, "12345")) == []


def test_empty_list_is_400(stand_in: EFetchStandIn) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        post(stand_in.base_url, "")
    assert error.value.code == 400 and b"ID list is empty" in error.value.read()


def test_over_the_rate_is_429_with_retry_after(records_path: str) -> None:
    with EFetchStandIn(records_path, max_per_second=1) as server:
        post(server.base_url, str(PMIDS[0]))
        with pytest.raises(urllib.error.HTTPError) as error:
            post(server.base_url, str(PMIDS[0]))
        assert error.value.code == 429 and error.value.headers["Retry-After"] == "2"
        assert server.refused == 1
