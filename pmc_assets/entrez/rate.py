"""The request rate that all processes of an instance share, as one small locked file. The requests stay out."""

import contextlib
import fcntl
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

REQUESTS_PER_SECOND = 3.0
REQUESTS_PER_SECOND_WITH_KEY = 10.0
SAFETY_FACTOR = 1.2
LONGEST_PAUSE_S = 120.0
DOWN_S = 600.0


class RateGate:
    """A token bucket of one token: requests of all processes that share `path` are at least a gap apart.

    The gap is `SAFETY_FACTOR` longer than the rate asks for, so that delays on the way do not bunch requests up.
    The file also holds a service's pause for all (Retry-After) and when it was last seen to be down.
    """

    def __init__(
        self,
        path: Path,
        requests_per_second: float,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = path
        self.gap_s = SAFETY_FACTOR / requests_per_second
        self._clock = clock
        self._sleep = sleep
        path.parent.mkdir(parents=True, exist_ok=True)

    def wait(self) -> None:
        """Wait for the next token; whoever waits holds the lock, so processes take turns."""
        with self._locked() as state:
            self._sleep(min(max(0.0, state.get("next_at", 0.0) - self._clock()), LONGEST_PAUSE_S))
            state["next_at"] = self._clock() + self.gap_s

    def pause(self, seconds: float) -> None:
        """Keep every process from asking for this long."""
        with self._locked() as state:
            until = self._clock() + min(seconds, LONGEST_PAUSE_S)
            state["next_at"] = max(state.get("next_at", 0.0), until)

    def note_down(self) -> None:
        with self._locked() as state:
            state["down_at"] = self._clock()

    def note_up(self) -> None:
        with self._locked() as state:
            state.pop("down_at", None)

    def is_down(self) -> bool:
        """Tell whether the service was given up within the last `DOWN_S` seconds and has not answered since."""
        with self._locked() as state:
            return 0.0 <= self._clock() - state.get("down_at", float("-inf")) < DOWN_S

    @contextlib.contextmanager
    def _locked(self) -> Iterator[dict[str, float]]:
        with self._path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            state = _read_state(file.read())
            yield state
            file.seek(0)
            file.truncate()
            json.dump(state, file)


def _read_state(text: str) -> dict[str, float]:
    """Read the state; one that a killed process left half written counts as none."""
    try:
        return json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}
