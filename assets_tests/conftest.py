"""What all tests share: the real articles of PMC_SHARED, a closed network, a private instance and lake."""

import ipaddress
import os
import socket
from pathlib import Path

import pytest
from made_lake import REPOSITORY, MadeLake, make_lake

FEW_CELLS = {"PMC_BATCH_IDS": "10000000", "PMC_EFETCH_URL": ""}
"""The real articles' ids lie far apart: in blocks of the usual width they would fill a dozen batches."""
LAKES = ("mirror_lake", "sample_lake", "legacy_lake")
SLOWEST_FIRST = ("lakes", "operations", "annotations")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests that share a costly fixture to one worker, and start the slowest groups first."""
    groups = {item: _group_of(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    order = {group: place for place, group in enumerate(SLOWEST_FIRST)}
    items.sort(key=lambda item: order.get(groups[item], len(order)))


def _group_of(item: pytest.Item) -> str:
    """Name a test's group: its made lakes, else its folder where that shares fixtures, else its file."""
    if any(lake in getattr(item, "fixturenames", ()) for lake in LAKES):
        return "lakes"
    folder = item.path.parent.name
    return folder if folder in ("operations", "annotations", "shards", "subsets") else item.path.stem


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real articles (PMC_SHARED, default ../shared)."""
    folder = Path(os.environ.get("PMC_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no real articles: PMC_SHARED ({folder}) is absent")
    return folder


@pytest.fixture(scope="session")
def mirror(shared: Path) -> Path:
    """The real bucket: 39 article versions in NLM's layout."""
    return shared / "pmc_mirror" / "bucket"


@pytest.fixture(autouse=True)
def closed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection but to loopback."""
    connect = socket.socket.connect

    def connect_loopback(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if isinstance(address, tuple) and host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise AssertionError(f"a test reached for {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_loopback)


@pytest.fixture(scope="session")
def mirror_lake(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeLake:
    """The lake of the real bucket, made once for all tests; nobody may change it."""
    return make_lake(tmp_path_factory.mktemp("mirror"), PMC_SOURCE=mirror.as_uri(), **FEW_CELLS)


@pytest.fixture(scope="session")
def legacy_lake(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeLake:
    """The lake of the real tarballs, made once for all tests; nobody may change it."""
    legacy = shared / "pmc_mirror" / "legacy"
    return make_lake(tmp_path_factory.mktemp("legacy"), PMC_SOURCE=legacy.as_uri(), **FEW_CELLS)


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> MadeLake:
    """The lake of the embedded sample, made once for all tests; nobody may change it."""
    return make_lake(tmp_path_factory.mktemp("sample"), PMC_SAMPLE_ARTICLES="120")
