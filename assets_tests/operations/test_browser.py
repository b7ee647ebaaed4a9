"""The control room in a real browser: see the graph, run one cell, one cell with all downstream, mend a failed one."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.operations.browser import CHROMIUM, open_page
from benchmarks.operations.control_room import REPOSITORY, ControlRoom

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is absent: apt-get install chromium"),
]
SCREENSHOTS = REPOSITORY / ".artifacts" / "browser"
LAYERS = ("raw", "core", "models", "out", "sql", "subsets")
GROUP = "commercial"
WAIT_MS = 90_000
RUN_TIMEOUT_S = 120.0


@pytest.fixture(scope="module")
def page(room: ControlRoom) -> Iterator["Page"]:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with open_page() as page:
        page.set_default_timeout(WAIT_MS)
        yield page


@pytest.fixture(scope="module")
def batch(room: ControlRoom) -> str:
    """The first batch whose commercial cell has articles."""
    lists = sorted((lake_of(room) / "raw" / "filelists" / f"license_group={GROUP}").iterdir())
    return lists[0].name.removeprefix("batch=")


def lake_of(room: ControlRoom) -> Path:
    return Path(room.environment["PMC_LAKE"])


def visit(page: "Page", room: ControlRoom, path: str) -> None:
    """Go to a page of the UI as its own links do, which load its program once."""
    if page.url.startswith(room.url):
        page.evaluate("path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path)
    else:
        page.goto(room.url + path)


def shown(page: "Page", text: str, place: int = 0) -> "Locator":
    """A visible one of the elements with just this text: the UI keeps hidden twins to measure by."""
    return page.locator(f"text=/^{text}$/ >> visible=true").nth(place)


def shoot(page: "Page", name: str) -> None:
    page.wait_for_timeout(300)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def newest_run(room: ControlRoom, known: set[str], status: str) -> str:
    """Wait until a run that was not there has ended, and check how; gives its id."""
    deadline = time.monotonic() + RUN_TIMEOUT_S
    while time.monotonic() < deadline:
        new = [run for run in room.runs() if run["runId"] not in known]
        if new and new[0]["status"] in ("SUCCESS", "FAILURE", "CANCELED"):
            assert new[0]["status"] == status, room.log()[-4000:]
            return new[0]["runId"]
        time.sleep(0.3)
    raise AssertionError(f"no run ended within {RUN_TIMEOUT_S} s:\n{room.log()[-4000:]}")


def run_ids(room: ControlRoom) -> set[str]:
    return {run["runId"] for run in room.runs()}


def show_cell(page: "Page", room: ControlRoom, asset: str, batch: str) -> None:
    visit(page, room, f"/assets/{asset}?view=partitions")
    shown(page, batch).click()
    shown(page, GROUP).click()
    page.get_by_text(f"{batch}|{GROUP}").first.wait_for(state="attached")


def open_dialog(page: "Page", button: str, wanted: "Locator") -> None:
    """Press a button; where the UI warns that something upstream was never made, say yes."""
    page.get_by_role("button", name=button).first.click()
    confirm = page.get_by_role("button", name="Confirm")
    confirm.or_(wanted).first.wait_for()
    if confirm.count():
        confirm.click()
    wanted.wait_for()


def materialize_cell(page: "Page", room: ControlRoom, asset: str, batch: str) -> None:
    """Choose a cell on the asset's page and launch it, as a person does."""
    show_cell(page, room, asset, batch)
    launch = page.get_by_role("button", name="Launch 1 run")
    open_dialog(page, "Materialize", launch)
    launch.click()


def test_graph_shows_every_layer(page: "Page", room: ControlRoom) -> None:
    visit(page, room, "/asset-groups/")
    for name in LAYERS:
        shown(page, name, 1).wait_for()  # the first is in the list beside the graph
    shoot(page, "1-graph")
    for layers, assets in ((("raw", "core"), ("packages", "images")), (("out",), ("samples", "shards"))):
        visit(page, room, "/asset-groups/?expanded=" + ",".join(f"global@global:{layer}" for layer in layers))
        for name in assets:
            page.get_by_text(name, exact=True).first.wait_for()
        shoot(page, f"1-graph-{'-'.join(layers)}")


def test_one_cell_of_one_asset_turns_green(page: "Page", room: ControlRoom, batch: str) -> None:
    known = run_ids(room)
    materialize_cell(page, room, "raw/packages", batch)
    newest_run(room, known, "SUCCESS")
    show_cell(page, room, "raw/packages", batch)
    page.get_by_text("dagster/partition_row_count").first.wait_for()
    page.get_by_text("listed", exact=True).first.wait_for()
    shoot(page, "2-packages-materialized")
    assert list(lake_of(room).glob(f"raw/packages/license_group={GROUP}/batch={batch}/packages.parquet"))


def test_one_cell_with_all_downstream(page: "Page", room: ControlRoom, batch: str) -> None:
    known = run_ids(room)
    visit(page, room, "/locations/pmc_assets/jobs/one_partition")
    open_dialog(page, "Materialize all", page.get_by_text("Select a partition").first)
    for value in (batch, GROUP):
        page.get_by_text("Select a partition").first.click()
        page.get_by_placeholder("Filter partitions").press_sequentially(value)
        page.locator(f"text=/^{value}$/ >> visible=true").last.click()
        page.keyboard.press("Escape")
    shoot(page, "3-one-partition-dialog")
    page.get_by_role("button", name="Launch 1 run").click()
    newest_run(room, known, "SUCCESS")
    for table in ("core/images/{}/images.parquet", "out/samples/{}/samples.parquet", "out/shards/{}/00000.tar"):
        assert list(lake_of(room).glob(table.format(f"license_group={GROUP}/batch={batch}"))), table


def test_metadata_shows_a_picture(page: "Page", room: ControlRoom, batch: str) -> None:
    show_cell(page, room, "core/images", batch)
    page.get_by_text("image_widths").first.wait_for()
    row = page.locator("tr").filter(has_text="image_widths").first
    if not row.locator("img").count():
        row.get_by_text("Show Markdown").first.click()
    image = page.locator('img[src^="data:image/png"]').first
    image.wait_for()
    assert image.evaluate("image => image.complete && image.naturalWidth > 100")
    shoot(page, "4-picture")


def test_failed_cell_succeeds_after_its_cause_is_gone(page: "Page", room: ControlRoom, batch: str) -> None:
    packages = lake_of(room) / f"raw/packages/license_group={GROUP}/batch={batch}/packages.parquet"
    whole = packages.read_bytes()
    packages.write_bytes(whole[: len(whole) // 2])
    known = run_ids(room)
    materialize_cell(page, room, "core/images", batch)
    failed = newest_run(room, known, "FAILURE")
    show_cell(page, room, "core/images", batch)
    page.get_by_text("Failed (1)").wait_for()
    shoot(page, "5-failed")

    packages.write_bytes(whole)
    known = run_ids(room)
    visit(page, room, f"/runs/{failed}")
    page.get_by_role("button", name="Re-execute").first.click()
    newest_run(room, known, "SUCCESS")
    show_cell(page, room, "core/images", batch)
    page.get_by_text("Failed (0)").wait_for()
    shoot(page, "6-mended")
