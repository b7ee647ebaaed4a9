"""A command that this one starts, waits for, and takes down with all that it started."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

GRACE_S = 30.0
POLL_S = 0.1


def call(command: list[str], env: dict[str, str], cwd: Path, grace_s: float = GRACE_S) -> int:
    """Run a command in a session of its own and give its exit code; 1 where it had to be killed.

    An interrupt, SIGTERM or SIGHUP to this process reaches all of that session as the interrupt that a terminal sends;
    what lives `grace_s` later is killed.
    """
    endings = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # one that is ignored here would be in the child, too
    before = {number: signal.signal(number, signal.default_int_handler) for number in endings}
    try:
        with subprocess.Popen(command, env=env, cwd=cwd, start_new_session=True) as child:
            try:
                return child.wait()
            except KeyboardInterrupt:
                _signal(child, signal.SIGINT)
                return _wait_for_all(child, grace_s)
            finally:
                _signal(child, signal.SIGKILL)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_all(child: subprocess.Popen[bytes], grace_s: float) -> int:
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and (child.poll() is None or _signal(child, 0)):
        time.sleep(POLL_S)
    return 1 if child.returncode is None else child.returncode


def _signal(child: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to the child's session. False: nothing is left of it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)
        return True
    return False
