"""What all tests share: the real articles of PMC_SHARED, a closed network, a private instance and lake."""

import ipaddress
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from pmc_assets.lake import Lake

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


def run_command(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `pmc-assets` as a user would: its own process, instance and lake below `home`."""
    shutil.copy(REPOSITORY / "dagster.yaml", home / "dagster.yaml")
    shutil.copy(REPOSITORY / "workspace.yaml", home / "workspace.yaml")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PMC_", "NCBI_"))}
    environment |= {"DAGSTER_HOME": str(home), "PMC_LAKE": str(home / "lake"), "COLUMNS": "200"} | variables
    command = [str(Path(sys.executable).with_name("pmc-assets")), *arguments]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class MadeLake:
    """A lake that one run of the command made, and what the run said."""

    home: Path
    variables: dict[str, str]

    @property
    def root(self) -> Path:
        return self.home / "lake"

    @property
    def lake(self) -> Lake:
        return Lake(str(self.root))

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_command(self.home, *arguments, **self.variables)

    def rows(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.root / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def make_lake(home: Path, **variables: str) -> MadeLake:
    made = MadeLake(home, variables)
    answer = made.command("run")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return made


@pytest.fixture(scope="session")
def mirror_lake(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeLake:
    """The lake of the real bucket, made once for all tests; nobody may change it."""
    return make_lake(tmp_path_factory.mktemp("mirror"), PMC_SOURCE=mirror.as_uri(), PMC_EFETCH_URL="")


@pytest.fixture(scope="session")
def legacy_lake(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeLake:
    """The lake of the real tarballs, made once for all tests; nobody may change it."""
    legacy = shared / "pmc_mirror" / "legacy"
    return make_lake(tmp_path_factory.mktemp("legacy"), PMC_SOURCE=legacy.as_uri(), PMC_EFETCH_URL="")


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> MadeLake:
    """The lake of the embedded sample, made once for all tests; nobody may change it."""
    return make_lake(tmp_path_factory.mktemp("sample"))
