"""A Dagster control room (`dagster dev`) on a free loopback port, driven as its own UI drives it: by GraphQL."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.operations.postgres_server import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 20.0
LOCATION = "pmc_assets"
POLL_S = 0.5
GOING_ON = ("REQUESTED", "CANCELING", "COMPLETING", "FAILING")

LAUNCH_BACKFILL = """
mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}"""
BACKFILL = """
query($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message } partitionSetName }
  }
}"""
RUNS = """
query($filter: RunsFilter) {
  runsOrError(filter: $filter) { ... on Runs { results { runId status tags { key value } } } }
}"""
ADD_PARTITION = """
mutation($selector: RepositorySelector!, $name: String!, $key: String!) {
  addDynamicPartition(repositorySelector: $selector, partitionsDefName: $name, partitionKey: $key) { __typename }
}"""
LOCATION_LOADED = """
query { workspaceOrError { ... on Workspace { locationEntries { name loadStatus
  locationOrLoadError { __typename ... on PythonError { message } } } } } }"""


@dataclass
class ControlRoom:
    """A running `dagster dev`: its address, its process group and what it was started with."""

    home: Path
    environment: Mapping[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Start, and wait until the code location answers; gives the seconds that it took."""
        started = time.perf_counter()
        with (self.home / "dagster-dev.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(Path(sys.executable).with_name("dagster")),
                    *("dev", "-w", str(self.home / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(self.port)),
                ],
                env={**os.environ, **self.environment, "DAGSTER_HOME": str(self.home)},
                cwd=self.home,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait_until_loaded(started + START_TIMEOUT_S)
        except BaseException:
            self.kill()
            raise
        return time.perf_counter() - started

    def stop(self) -> None:
        """Ask it to end, then kill what is left of its process group."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_TIMEOUT_S)
        self.kill()

    def kill(self) -> None:
        """SIGKILL the webserver, the daemon, the code server and every run: the whole process group."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def log(self) -> str:
        return (self.home / "dagster-dev.log").read_text(errors="replace")

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send one GraphQL request. Raises: RuntimeError with the server's own words."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                document = json.load(answer)
        except urllib.error.HTTPError as refusal:
            raise RuntimeError(refusal.read().decode(errors="replace")[:2000]) from refusal
        if document.get("errors"):
            raise RuntimeError(str(document["errors"])[:2000])
        return document["data"]

    def launch_backfill(self, assets: Sequence[Sequence[str]], partitions: Sequence[str]) -> str:
        """Start a backfill of assets over partitions; gives its id."""
        params = {"assetSelection": [{"path": list(a)} for a in assets], "partitionNames": list(partitions)}
        answer = self.ask(LAUNCH_BACKFILL, params=params)["launchPartitionBackfill"]
        if answer["__typename"] != "LaunchBackfillSuccess":
            raise RuntimeError(str(answer))
        return answer["backfillId"]

    def backfill_status(self, backfill_id: str) -> str:
        return self.ask(BACKFILL, id=backfill_id)["partitionBackfillOrError"]["status"]

    def runs(self, backfill_id: str | None = None) -> list[dict[str, Any]]:
        """List the runs, newest first; of one backfill where given."""
        tags = [{"key": "dagster/backfill", "value": backfill_id}] if backfill_id else []
        return self.ask(RUNS, filter={"tags": tags})["runsOrError"]["results"]

    def is_going_on(self, backfill_id: str) -> bool:
        return self.backfill_status(backfill_id) in GOING_ON

    def wait_for_backfill(self, backfill_id: str, timeout_s: float) -> str:
        """Wait until a backfill has ended; gives its last status."""
        deadline = time.monotonic() + timeout_s
        while (status := self.backfill_status(backfill_id)) in GOING_ON:
            if time.monotonic() > deadline:
                raise TimeoutError(f"backfill {backfill_id} is {status} after {timeout_s} s:\n{self.log()[-3000:]}")
            time.sleep(POLL_S)
        return status

    def _wait_until_loaded(self, deadline: float) -> None:
        while not self._is_loaded():
            if self.process is None or self.process.poll() is not None or time.perf_counter() > deadline:
                raise RuntimeError(f"dagster dev did not start:\n{self.log()[-3000:]}")
            time.sleep(0.2)

    def _is_loaded(self) -> bool:
        try:
            entries = self.ask(LOCATION_LOADED)["workspaceOrError"]["locationEntries"]
        except (OSError, urllib.error.URLError, ValueError):
            return False
        for entry in entries:
            if entry["loadStatus"] == "LOADED" and entry["locationOrLoadError"]["__typename"] == "PythonError":
                raise RuntimeError(entry["locationOrLoadError"]["message"])
        return bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)


def make_home(home: Path, dagster_yaml: Path | str) -> Path:
    """Lay out a private DAGSTER_HOME: an instance file (a path or its text) and the repository's workspace."""
    home.mkdir(parents=True, exist_ok=True)
    text = dagster_yaml.read_text() if isinstance(dagster_yaml, Path) else dagster_yaml
    (home / "dagster.yaml").write_text(text)
    shutil.copy(REPOSITORY / "workspace.yaml", home)
    return home


@contextlib.contextmanager
def control_room(home: Path, environment: Mapping[str, str]) -> Iterator[ControlRoom]:
    """Run `dagster dev` on a prepared home while the block runs."""
    room = ControlRoom(home, environment)
    room.start()
    try:
        yield room
    finally:
        room.stop()
