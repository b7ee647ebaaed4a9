"""A local EFetch, and a client of it that does not wait long."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_server import FAST, SECRET_EMAIL, SECRET_KEY, Eutils, serve

from pmc_assets.entrez.efetch import EFetch, Timeouts
from pmc_assets.entrez.rate import RateGate


@pytest.fixture
def eutils() -> Iterator[Eutils]:
    with serve() as served:
        yield served


@pytest.fixture
def make_client(tmp_path: Path) -> Callable[..., EFetch]:
    def make(url: str, timeouts: Timeouts = FAST, requests_per_second: float = 1000.0) -> EFetch:
        gate = RateGate(tmp_path / "state" / "rate.json", requests_per_second)
        return EFetch(url, gate, SECRET_KEY, SECRET_EMAIL, timeouts)

    return make
