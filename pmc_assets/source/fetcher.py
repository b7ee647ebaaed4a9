"""Fetch many objects: bounded connections and memory, results in order, retries within a budget, md5 checked."""

import asyncio
import contextvars
import random
import re
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import tenacity

from pmc_assets.http_faults import TransientFault
from pmc_assets.source.answers import (
    Body,
    Missing,
    Refused,
    SourceUnavailable,
    TooLarge,
    Unanswered,
    WrongBytes,
    md5_of,
)
from pmc_assets.source.transport import Transport

HELD_BYTES = 128 * 2**20
SMALL_BYTES = 2**20
MAX_FILE_BYTES = 192 * 2**20
ATTEMPTS = 10
WRONG_BYTES_ATTEMPTS = 4
"""So often one object may come whole with another md5: then it is the object that is wrong, not the way to it."""
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 20.0
SILENCE_S = 1.0
"""From here on the time from a fault to the next good answer counts as lost; below is noise of many requests."""
ADMISSION_POLL_S = 0.02
MD5 = re.compile(r"[0-9a-f]{32}")

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class TransferCounts:
    """What went over the wire since the source was opened; `requests` are those for objects, not for lists of names."""

    requests: int = 0
    retries: int = 0
    size_bytes: int = 0
    faults: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Job:
    """One item of an ordered run; `held_bytes` is what it keeps in memory until it is handed over."""

    held_bytes: int = 0


_job: contextvars.ContextVar[_Job] = contextvars.ContextVar("job")


class Fetcher:
    """Runs requests of one transport on an event loop in its own thread.

    At most `connections` requests are open at once. `budget_s` is how long the source may go, in all, without a good
    answer before everything stops; `attempts` is how often one object is asked for.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        connections: int,
        budget_s: float,
        attempts: int = ATTEMPTS,
        first_wait_s: float = FIRST_WAIT_S,
        max_file_bytes: int = MAX_FILE_BYTES,
    ) -> None:
        self.transport = transport
        self.counts = TransferCounts()
        self.max_file_bytes = max_file_bytes
        self._connections, self._budget_s = connections, budget_s
        self._attempts, self._first_wait_s = attempts, first_wait_s
        self._held_bytes = 0
        self._head: _Job | None = None
        self._good_at = time.monotonic()
        self._failed_at: float | None = None  # the first fault since then
        self._lost_s = 0.0
        self._loop = asyncio.new_event_loop()
        self._slots = asyncio.Semaphore(connections)
        self._thread = threading.Thread(target=self._loop.run_forever, name="fetcher", daemon=True)
        self._thread.start()

    # -- for the calling thread -----------------------------------------------------------------------------------

    def call(self, work: Awaitable[Result]) -> Result:
        """Run one coroutine to its end."""
        self._failed_at = None
        return asyncio.run_coroutine_threadsafe(_as_coroutine(work), self._loop).result()

    def in_order(self, work: Callable[[Item], Awaitable[Result]], items: Iterable[Item]) -> Iterator[Result]:
        """Run `work` on every item, many at once; give the results in the order of the items."""
        self._failed_at = None
        open_jobs: deque = deque()
        try:
            for item in items:
                job = _Job()
                open_jobs.append((job, asyncio.run_coroutine_threadsafe(self._run(job, work, item), self._loop)))
                while open_jobs and (len(open_jobs) >= 2 * self._connections or self._held_bytes > HELD_BYTES):
                    yield self._hand_over(*open_jobs.popleft())
            while open_jobs:
                yield self._hand_over(*open_jobs.popleft())
        finally:
            for job, future in open_jobs:
                future.cancel()
                self._held_bytes -= job.held_bytes

    def close(self) -> None:
        """Close the connections and end the thread."""
        if self._thread.is_alive():
            self.call(self.transport.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _hand_over(self, job: _Job, future: "asyncio.Future[Result]") -> Result:
        self._head = job
        result = future.result()
        self._held_bytes -= job.held_bytes
        job.held_bytes = 0
        return result

    # -- on the event loop ----------------------------------------------------------------------------------------

    async def _run(self, job: _Job, work: Callable[[Item], Awaitable[Result]], item: Item) -> Result:
        _job.set(job)
        return await work(item)

    async def get(
        self,
        key: str,
        md5: str | None = None,
        *,
        accept_newer: bool = False,
        into: Path | None = None,
        max_bytes: int | None = None,
        witness: str = "",
    ) -> Body:
        """Get one object; `md5` (hex) is what its bytes must have.

        `accept_newer` also takes bytes that have the md5 which the server itself states: the object was replaced.
        `into` is a file for the bytes (no md5 is checked then), `max_bytes` another limit than that of all files.
        `witness` is another object that is there: it is asked for where this one fails and nothing else was asked.
        Raises: Missing, Refused, TooLarge, WrongBytes, Unanswered; SourceUnavailable when nothing answers any more.
        """
        return await self._retry(key, partial(self._get_once, key, md5, accept_newer, into, max_bytes), witness)

    async def exists(self, key: str) -> bool:
        """Say whether there is such an object. Raises: as `get`."""
        return await self._retry(key, partial(self.transport.exists, key))

    async def list_names(self, folder: str) -> list[str]:
        """List the names directly under a folder, sorted. Empty: [] where there is none. Raises: as `get`."""
        return await self._retry(f"the list of {folder}/", partial(self.transport.list_names, folder))

    async def _retry(self, key: str, attempt: Callable[[], Awaitable[Result]], witness: str = "") -> Result:
        started = time.monotonic()
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(TransientFault),
            stop=self._stop_rule(),
            wait=self._wait_s,
            before_sleep=self._count_fault,
            reraise=True,
        )
        try:
            result = await retrying(attempt)
            self._note_good()
            return result
        except WrongBytes:
            raise
        except TransientFault as fault:
            if not self._is_over_budget(0.0) and (self._good_at > started or await self._answers_for(witness)):
                attempts = retrying.statistics["attempt_number"]
                raise Unanswered(f"{key}: {fault} after {attempts} attempts") from fault
            raise SourceUnavailable(
                f"{self.transport.url} gave no good answer for {self._silent_s():.0f} s in all "
                f"(last: {fault}, for {key}): check the network and PMC_SOURCE, then run again; what was stored is kept"
            ) from fault

    async def _answers_for(self, witness: str) -> bool:
        """Ask once for an object that is there: any answer says that the source works."""
        if not witness:
            return False
        try:
            await self.transport.exists(witness)
        except TransientFault:
            return False
        self._note_good()
        return True

    async def _get_once(
        self, key: str, md5: str | None, accept_newer: bool, into: Path | None, max_bytes: int | None
    ) -> Body:
        async with self._slots:
            self.counts.requests += 1
            try:
                body = await self.transport.get(key, partial(self._admit, max_bytes or self.max_file_bytes), into)
            except (Missing, Refused, TooLarge):
                self._note_good()
                raise
        self._note_good()
        self.counts.size_bytes += len(body.content) if into is None else into.stat().st_size
        if into is None and md5 is not None and MD5.fullmatch(md5):
            actual = body.md5 or md5_of(body.content)
            if actual != md5 and not (accept_newer and actual == body.etag):
                raise WrongBytes(f"md5 is {actual}, not {md5}")
        self.hold(len(body.content))
        return body

    async def _admit(self, max_bytes: int, size_bytes: int) -> None:
        """Wait until a body fits into memory; the job that is to be handed over next never waits."""
        if size_bytes > max_bytes:
            raise TooLarge(f"{size_bytes} bytes, the limit is {max_bytes}")
        if size_bytes > SMALL_BYTES:
            while self._held_bytes > HELD_BYTES and _job.get(None) is not self._head:
                await asyncio.sleep(ADMISSION_POLL_S)

    def hold(self, size_bytes: int) -> None:
        """Count bytes that the running job keeps until it is handed over."""
        job = _job.get(None)
        if job is not None:
            job.held_bytes += size_bytes
            self._held_bytes += size_bytes

    # -- retries --------------------------------------------------------------------------------------------------

    def _wait_s(self, state: tenacity.RetryCallState) -> float:
        asked = _fault(state).retry_after_s
        backoff = min(LONGEST_WAIT_S, self._first_wait_s * 2 ** (state.attempt_number - 1))
        return (asked or 0.0) + backoff * random.uniform(0.5, 1.5)

    def _stop_rule(self) -> Callable[[tenacity.RetryCallState], bool]:
        """Give one object's rule: an end of attempts and budget, or of answers that are whole and wrong."""
        wrong_answers = 0

        def is_enough(state: tenacity.RetryCallState) -> bool:
            nonlocal wrong_answers
            wrong_answers += isinstance(_fault(state), WrongBytes)
            return wrong_answers >= WRONG_BYTES_ATTEMPTS or self._is_enough(state)

        return is_enough

    def _is_enough(self, state: tenacity.RetryCallState) -> bool:
        return state.attempt_number >= self._attempts or self._is_over_budget(_fault(state).retry_after_s or 0.0)

    def _is_over_budget(self, wait_s: float) -> bool:
        return self._silent_s() + wait_s > self._budget_s

    def _silent_s(self) -> float:
        """Give the time lost in all: a silence begins with its first fault, not while nothing is asked."""
        return self._lost_s + (0.0 if self._failed_at is None else time.monotonic() - self._failed_at)

    def _note_good(self) -> None:
        lost_s = self._silent_s()
        self._lost_s = lost_s if lost_s - self._lost_s > SILENCE_S else self._lost_s
        self._good_at, self._failed_at = time.monotonic(), None

    def _count_fault(self, state: tenacity.RetryCallState) -> None:
        self.counts.retries += 1
        self._failed_at = self._failed_at or time.monotonic()
        name = str(_fault(state)).split(":")[0].split(" is ")[0]
        self.counts.faults[name] = self.counts.faults.get(name, 0) + 1


def _fault(state: tenacity.RetryCallState) -> TransientFault:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, TransientFault) else TransientFault("unknown")


async def _as_coroutine(work: Awaitable[Result]) -> Result:
    return await work
