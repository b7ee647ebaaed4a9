"""A private PostgreSQL of Debian's packages on loopback, for as long as a block runs. Its use stays out."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

DEBIAN_BIN = "/usr/lib/postgresql"
SERVER_USER = "postgres"


class PostgresMissing(RuntimeError):
    """No PostgreSQL server is installed."""


def free_port() -> int:
    """Ask the kernel for a free TCP port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def postgres_bin() -> Path:
    """Find the folder of initdb and pg_ctl. Raises: PostgresMissing."""
    found = sorted(Path(DEBIAN_BIN).glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).parent
    raise PostgresMissing("no PostgreSQL server: apt-get install postgresql")


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Serve an empty database on a free port of 127.0.0.1; yields its URL. Raises: PostgresMissing."""
    programs, port = postgres_bin(), free_port()
    user = SERVER_USER if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pmc-postgres-"))
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    settings = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off -c max_connections=200"

    def call(*command: str) -> None:
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

    try:
        call(str(programs / "initdb"), "-D", str(data), "-U", "dagster", "-A", "trust", "-E", "UTF8")
        call(str(programs / "pg_ctl"), "-D", str(data), "-o", settings, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgresql+psycopg2://dagster@127.0.0.1:{port}/postgres"
        finally:
            call(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
