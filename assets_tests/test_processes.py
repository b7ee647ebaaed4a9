import os
import signal
import subprocess
import sys

COMMAND = """
import os, time
from pmc_assets.processes import process_pool
with process_pool(1) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


def test_a_killed_command_leaves_no_process_behind() -> None:
    command = subprocess.Popen([sys.executable, "-c", COMMAND], stdout=subprocess.PIPE)
    assert command.stdout is not None
    worker = int(command.stdout.readline())
    command.kill()
    try:
        assert command.communicate(timeout=30) == (b"", None), "its output is open while a worker lives"
    except subprocess.TimeoutExpired:
        os.kill(worker, signal.SIGKILL)
        raise
