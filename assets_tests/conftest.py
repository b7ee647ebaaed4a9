"""What all tests share: the real articles of PMC_SHARED, a closed network, a private instance and lake."""

import atexit
import gc
import ipaddress
import os
import random
import socket
from functools import cache
from pathlib import Path

import pytest
from made_lake import ONE_REAL_BATCH, ONE_SAMPLE_BATCH, REPOSITORY, MadeLake, make_lake
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from pmc_assets.annotations.encoders import DEFAULT_ENCODER, load_encoder
from pmc_assets.lake import Lake
from pmc_assets.processes import keep_what_is_made

ONE_PROCESS = {"PMC_WORKERS": "1"}
OF_REAL_LAKES = {"PMC_EFETCH_URL": ""} | ONE_REAL_BATCH | ONE_PROCESS
UP_TO_IMAGES = ("--select", '+key:"core/images" or key:"warehouse"')
SHARED_LAKES = ("mirror_lake", "sample_lake", "drill: Drill")
SHARING_FOLDERS = {"annotations": "sample_lake", "shards": "shards", "subsets": "subsets"}
SLOWEST_FIRST = (
    "drill: Drill",
    "sample_lake",
    "test_browser",
    "mirror_lake",
    "subsets",
    "shards",
    "test_kills",
    "test_sync_drill",
)
gc.disable()  # until all is collected, which leaves no garbage
keep_what_is_made()
if "PYTEST_XDIST_WORKER" in os.environ:
    atexit.register(os._exit, 0)  # threads of servers keep DuckDB's module, which it would tell as leaks


class FixtureScheduling(LoadScopeScheduling):
    """Tests that share a costly fixture go to one worker (xdist_group does not reach this pytest's node ids)."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(REPOSITORY / nodeid.split("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FixtureScheduling:
    return FixtureScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the slowest groups first."""
    order = {group: place for place, group in enumerate(SLOWEST_FIRST)}
    items.sort(key=lambda item: order.get(group_of(item.path), len(order)))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what has been imported: it stays."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    gc.unfreeze()  # what stayed to the end would be leaks too


@cache
def group_of(path: Path) -> str:
    """Name the group of a test file: the lake that it reads, else that of its folder, else itself."""
    text = path.read_text()
    of_folder = SHARING_FOLDERS.get(path.parent.name, path.stem)
    return next((lake for lake in SHARED_LAKES if lake in text), of_folder)


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
def encoder_lake(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with nothing but the encoder's graph, which takes seconds: made once for all processes of the suite."""
    of_process = tmp_path_factory.getbasetemp()
    lake = Lake(str((of_process if worker_id == "master" else of_process.parent) / "encoders"))
    with lake.lock("encoders"):
        load_encoder(DEFAULT_ENCODER, lake)
    return lake


@pytest.fixture(scope="session")
def mirror_lake(mirror: Path, encoder_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> MadeLake:
    """The lake of the real bucket, made once for all tests; nobody may change it."""
    home = tmp_path_factory.mktemp("mirror")
    return make_lake(home, encoder_lake, PMC_SOURCE=mirror.as_uri(), **OF_REAL_LAKES)


@pytest.fixture(scope="session")
def legacy_lake(shared: Path, encoder_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> MadeLake:
    """The lake of the real tarballs up to its images, made once for all tests; nobody may change it."""
    legacy, home = shared / "pmc_mirror" / "legacy", tmp_path_factory.mktemp("legacy")
    return make_lake(home, encoder_lake, *UP_TO_IMAGES, PMC_SOURCE=legacy.as_uri(), **OF_REAL_LAKES)


@pytest.fixture(scope="session")
def sample_lake(encoder_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> MadeLake:
    """The lake of the embedded sample, made once for all tests as a user makes it; nobody may change it.

    Its seed is drawn anew for every session.
    """
    seed = random.SystemRandom().randrange(10**6)
    settings = {"PMC_SAMPLE_ARTICLES": "80", "PMC_SAMPLE_SEED": str(seed)} | ONE_SAMPLE_BATCH | ONE_PROCESS
    return make_lake(tmp_path_factory.mktemp("sample"), encoder_lake, is_forked=False, **settings)
