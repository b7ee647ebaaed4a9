"""What all tests share: the real articles of PMC_SHARED, a closed network, a private instance and lake."""

import ipaddress
import os
import socket
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


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
