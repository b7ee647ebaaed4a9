"""A Ray cluster of a head and workers as separate processes on loopback. What runs on it stays out."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.operations.postgres_server import free_port
from benchmarks.operations.stage import kill_tree

START_TIMEOUT_S = 180.0
ANSWER_TIMEOUT_S = 30.0
LAST_CHARACTERS = 1_000
JOIN_ATTEMPTS = 5
JOINED = "Ray runtime started"
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
        """Join one more worker, and wait until it has joined: Ray gives up after 30 s, and is asked again."""
        for attempt in range(JOIN_ATTEMPTS):
            log = self.folder / f"worker-{len(self.workers)}-{attempt}.log"
            worker = _ray_start(self.environment, log, "--address", self.address, "--num-cpus", str(cpus))
            while worker.poll() is None and JOINED not in log.read_text():
                time.sleep(0.1)
            if worker.poll() is None:
                self.workers.append(worker)
                return
        raise TimeoutError(f"no worker has joined: {log.read_text()[-LAST_CHARACTERS:]}")

    def kill_worker(self, index: int) -> None:
        """SIGKILL a worker with everything that runs on it, as a machine that loses its power."""
        kill_tree(self.workers[index])

    def failed_jobs(self) -> str:
        """Tell what every failed job said last. Empty: "" while none has failed."""
        with urllib.request.urlopen(f"{self.dashboard_url}/api/jobs/", timeout=ANSWER_TIMEOUT_S) as answer:
            failed = [job for job in json.load(answer) if job["status"] == "FAILED"]
        return "\n".join(f"Ray job {job['submission_id']}: …{job['message'][-LAST_CHARACTERS:]}" for job in failed)


@contextlib.contextmanager
def ray_cluster(head_cpus: int, workers: int, environment: dict[str, str]) -> Iterator[RayCluster]:
    """Start a head and `workers` workers with one CPU each; all are killed at the end."""
    port, dashboard_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        variables = {**os.environ, **environment, "PATH": programs, "RAY_USAGE_STATS_ENABLED": "0"}
        head = _ray_start(
            variables,
            folder / "head.log",
            *("--head", "--port", str(port), "--num-cpus", str(head_cpus), "--temp-dir", str(folder / "ray")),
            "--no-monitor",
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
                kill_tree(process)


def _ray_start(environment: dict[str, str], log_path: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [
                str(Path(sys.executable).with_name("ray")),
                *("start", "--block", "--node-ip-address", "127.0.0.1", "--disable-usage-stats"),
                # On one machine only the first agent gets the usual port, and a head without it takes no jobs.
                *("--dashboard-agent-listen-port", str(free_port())),
                *("--object-store-memory", str(OBJECT_STORE_BYTES), "--include-log-monitor", "false", *arguments),
            ],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_up(cluster: RayCluster) -> None:
    """Wait until the cluster takes jobs: its API answers earlier, and refuses them."""
    deadline = time.monotonic() + START_TIMEOUT_S
    body, kind = json.dumps({"entrypoint": "true"}).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{cluster.dashboard_url}/api/jobs/", body, kind)
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S):
            return
        time.sleep(0.3)
    raise TimeoutError(f"Ray did not start: {(cluster.folder / 'head.log').read_text()[-2000:]}")
