"""A command that was started ends with the one that started it, whichever signal ends that."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from pmc_assets.cli.child import call

CHILD = """
import os, signal, time
if os.fork():
    signal.signal(signal.SIGINT, lambda *_: {on_interrupt})
    time.sleep(600)
signal.signal(signal.SIGINT, signal.SIG_IGN)
print(os.getpid(), file=open("grandchild", "w"))
os.rename("grandchild", "ready")
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(("on_interrupt", "code"), [("os._exit(7)", 7), ("None", 1)])
def test_a_signal_ends_the_child_and_all_that_it_started(tmp_path, number, on_interrupt, code):
    ready = tmp_path / "ready"

    def end() -> None:
        while not ready.exists():
            threading.Event().wait(0.01)
        os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    threading.Thread(target=end, daemon=True).start()
    command = [sys.executable, "-S", "-c", CHILD.format(on_interrupt=on_interrupt)]
    assert call(command, dict(os.environ), tmp_path, grace_s=0.3) == code
    assert signal.getsignal(number) is before
    assert _ends(int(ready.read_text()))


def _ends(pid: int) -> bool:
    """Say whether a process that was killed is gone within a second; one that nobody reaps yet is gone."""
    stat = Path(f"/proc/{pid}/stat")
    for _ in range(100):
        if not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] in "ZX":
            return True
        threading.Event().wait(0.01)
    return False
