"""Progress of a long step in the run's log."""

import logging
import time
from collections.abc import Callable

from pmc_assets.source.fetcher import TransferCounts

LOG_EVERY_S = 10.0


def log_progress(log: logging.Logger, noun: str, counts: TransferCounts) -> Callable[[int, int], None]:
    """Give a function that logs how far a step is: at most every ten seconds, and at its end."""
    started = last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LOG_EVERY_S or done == total:
            last = now
            megabytes = counts.size_bytes / 1e6
            log.info(
                f"{done:,} of {total:,} {noun}, {megabytes:,.0f} MB, {counts.requests:,} requests, "
                f"{counts.retries:,} retries, {now - started:,.0f} s"
            )

    return progress
