"""Debian's chromium, headless and without its background traffic, driven by Playwright. What it opens stays out."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWPORT_PX = {"width": 1600, "height": 1000}


@contextlib.contextmanager
def open_page() -> Iterator["Page"]:
    """Open one page in a browser with a new profile. Raises: FileNotFoundError without /usr/bin/chromium."""
    from playwright.sync_api import sync_playwright

    if not CHROMIUM.exists():
        raise FileNotFoundError(f"{CHROMIUM} is absent: apt-get install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=str(CHROMIUM), args=ARGUMENTS, headless=True, viewport=VIEWPORT_PX
        )
        try:
            yield context.pages[0] if context.pages else context.new_page()
        finally:
            context.close()
