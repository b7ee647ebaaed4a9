"""The commands and their options; what they do lives in the modules that they call."""

import atexit
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pmc_assets.cli import reading
from pmc_assets.cli.errors import told
from pmc_assets.cli.options import CORES, Jobs, LakeUrl, console, counting
from pmc_assets.cli.remote import stop_reading
from pmc_assets.processes import keep_what_is_made

if TYPE_CHECKING:
    from pmc_assets.cli.run import Runner
    from pmc_assets.cli.worker import Outcome

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="The lakehouse of PubMed Central figures: tables, SQL and training shards, kept current through Dagster.",
)
atexit.register(stop_reading)
keep_what_is_made()


@app.command()
def run(
    batch: Annotated[list[str] | None, typer.Option(help="Only this batch, e.g. PMC01000xxxx. Repeatable.")] = None,
    license_group: Annotated[
        list[str] | None, typer.Option(help="Only this group: commercial, noncommercial, other. Repeatable.")
    ] = None,
    select: Annotated[
        str, typer.Option(help="Assets in Dagster's selection syntax, e.g. 'key:\"core/images\"+'.")
    ] = "*",
    jobs: Jobs = CORES,
) -> None:
    """Materialise assets for their partitions, with a progress bar; the UI shows the same history.

    All of it: `pmc-assets run`. One partition with everything downstream of its packages:
    `pmc-assets run --batch PMC01000xxxx --license-group commercial --select 'key:"raw/packages"+'`.
    """
    import dagster as dg

    from pmc_assets.cli.run import Choice

    choice = Choice(tuple(batch or ()), tuple(license_group or ()))
    _materialize(lambda runner: runner.run(dg.AssetSelection.from_string(select), choice), jobs)


@app.command()
def sync(jobs: Jobs = CORES) -> None:
    """Take the newest inventory, run just the partitions that it concerns, then what is made of all of them.

    For a lake that `pmc-assets run` made; the schedule `sync_daily` and the sensor `new_inventory` run the partitions.
    """
    _materialize(lambda runner: runner.sync(), jobs)


def _materialize(work: "Callable[[Runner], list[Outcome]]", jobs: int) -> None:
    """Run through Dagster on the source of the environment, say what the lake holds, end with 1 after a failure."""
    from pmc_assets.cli.embedded import embedded_source
    from pmc_assets.cli.instance import open_instance
    from pmc_assets.cli.run import Runner
    from pmc_assets.cli.status import print_summary
    from pmc_assets.warehouse.build import WAREHOUSE

    with told(console), embedded_source(console), open_instance() as instance:
        from pmc_assets.definitions import LAKE, SOURCE, defs
        from pmc_assets.lake import CONTENTS

        lake = LAKE.open()
        lake.fix_setting(CONTENTS, SOURCE.contents)
        outcomes = work(Runner(defs, instance, lake, console, jobs))
        failed = [outcome for outcome in outcomes if not outcome.is_success]
        if lake.exists(WAREHOUSE):
            print_summary(lake, console)
        console.print(f"{len(outcomes)} runs, {len(failed)} failed")
    raise typer.Exit(1 if failed else 0)


@app.command()
def status(lake: LakeUrl = "lake") -> None:
    """Say what is in the lake, what is missing, and what was left out and why."""
    from pmc_assets.cli.instance import open_instance
    from pmc_assets.cli.status import print_status
    from pmc_assets.definitions import defs
    from pmc_assets.lake import Lake

    with told(console), open_instance() as instance:
        print_status(Lake(lake), defs, instance, Console(emoji=False))


@app.command()
def tour(lake: LakeUrl = "lake") -> None:
    """Show three SQL examples with their output, and how to go on."""
    from pmc_assets.cli.tour import print_tour
    from pmc_assets.lake import Lake

    with told(console):
        print_tour(Lake(lake), Console(emoji=False))


@app.command()
def sample(
    to: Annotated[str, typer.Option(help="Where to write the bucket: a folder or any fsspec URL.")],
    articles: Annotated[int, typer.Option(help="Articles; one in fifty has two versions.", min=1)] = 300,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
) -> None:
    """Write the embedded sample: a synthetic bucket in NLM's layout, with known image classes."""
    from pmc_assets.sample.bucket import write_sample

    with told(console), counting(console) as progress:
        task = progress.add_task("articles", total=articles)

        def show(done: int, _: int) -> None:
            progress.update(task, completed=done)

        written = write_sample(to, articles, seed, workers=CORES, progress=show)
    console.print(
        f"{written.url}: {written.articles:,} articles, {written.versions:,} versions, {written.images:,} images,"
        f" {written.size_bytes:,} bytes{'' if written.is_new else '; it was there already'}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000) -> None:
    """Open the Dagster UI on 127.0.0.1: the control room."""
    from pmc_assets.cli.child import call
    from pmc_assets.cli.embedded import embedded_source
    from pmc_assets.cli.instance import dagster_home, open_instance

    home = dagster_home()
    open_instance().dispose()
    dagster = Path(sys.executable).with_name("dagster")
    command = [str(dagster), "dev", "-w", str(home / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    with embedded_source(console):
        code = call(command, env=os.environ | {"DAGSTER_HOME": str(home)}, cwd=home)
    raise typer.Exit(code)


app.command(cls=reading.QueryCommand)(reading.sql)
for command in (reading.subset, reading.search, reading.similar, reading.publish):
    app.command()(command)


if __name__ == "__main__":
    app()
