import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--window-size=1200,1500",
    "--virtual-time-budget=5000",
]


@pytest.mark.browser
def test_page_shows_pictures_in_a_browser(sheets: dict[str, Any], tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed: the page was not looked at")
    shot = tmp_path / "page.png"
    places = [f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={shot}", sheets["page"].value]
    subprocess.run([chromium, *FLAGS, *places], check=True, capture_output=True, timeout=120)
    with Image.open(shot) as image:
        pixels = np.asarray(image.convert("RGB"), dtype=np.int16)
    first_sheet = pixels[240:420, 20:1150]
    assert pixels.shape == (1500, 1200, 3)
    assert first_sheet.std() > 15
    assert len(np.unique(first_sheet.reshape(-1, 3), axis=0)) > 100
