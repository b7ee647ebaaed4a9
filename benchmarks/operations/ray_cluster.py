"""A Ray cluster of a head and workers as separate processes on loopback. What runs on it stays out."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.operations.postgres_server import free_port

START_TIMEOUT_S = 60.0
OBJECT_STORE_BYTES = 100 * 2**20


@dataclass
class RayCluster:
    """Where the cluster answers, and the processes that are it: each worker in a process group of its own."""

    address: str
    dashboard_url: str
    folder: Path
    head: subprocess.Popen[bytes]
    environment: dict[str, str]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add_worker(self, cpus: int = 1) -> None:
        """Join one more worker."""
        self.workers.append(self._start("--address", self.address, "--num-cpus", str(cpus)))

    def kill_worker(self, index: int) -> None:
        """SIGKILL a worker with everything that runs on it."""
        os.killpg(self.workers[index].pid, signal.SIGKILL)
        self.workers[index].wait()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return _ray_start(self.environment, self.folder, *arguments)


@contextlib.contextmanager
def ray_cluster(workers: int, environment: dict[str, str]) -> Iterator[RayCluster]:
    """Start a head without CPUs and `workers` workers with one CPU each; all are killed at the end."""
    port, dashboard_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        variables = {**os.environ, **environment, "PATH": programs, "RAY_USAGE_STATS_ENABLED": "0"}
        head = _ray_start(
            variables,
            folder,
            *("--head", "--port", str(port), "--num-cpus", "0", "--temp-dir", str(folder / "ray")),
            *("--dashboard-host", "127.0.0.1", "--dashboard-port", str(dashboard_port)),
        )
        cluster = RayCluster(f"127.0.0.1:{port}", f"http://127.0.0.1:{dashboard_port}", folder, head, variables)
        try:
            _wait_until_up(cluster)
            for _ in range(workers):
                cluster.add_worker()
            yield cluster
        finally:
            for process in [*cluster.workers, head]:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _ray_start(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with (folder / "ray.log").open("ab") as log:
        return subprocess.Popen(
            [
                str(Path(sys.executable).with_name("ray")),
                *("start", "--block", "--node-ip-address", "127.0.0.1", "--disable-usage-stats"),
                *("--object-store-memory", str(OBJECT_STORE_BYTES), *arguments),
            ],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_up(cluster: RayCluster) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        version_url = f"{cluster.dashboard_url}/api/version"
        with contextlib.suppress(OSError, urllib.error.URLError), urllib.request.urlopen(version_url, timeout=2):
            return
        time.sleep(0.3)
    raise TimeoutError(f"Ray did not start: {(cluster.folder / 'ray.log').read_text()[-2000:]}")
