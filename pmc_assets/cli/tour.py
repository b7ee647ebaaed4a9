"""The end of a first run: three SQL examples with their output, and how to go on."""

from rich.console import Console

from pmc_assets.cli.status import rich_table
from pmc_assets.lake import Lake
from pmc_assets.warehouse.build import WAREHOUSE
from pmc_assets.warehouse.connection import open_connection

EXAMPLES = (
    "select license_group, count(*) as samples from out.samples group by 1 order by 1",
    """select primary_label[1] as label, panel_type, count(*) as samples
from out.samples group by all order by samples desc limit 8""",
    """select f.figure_label, left(f.caption, 60) as caption, i.image_name, i.width_px, i.height_px
from core.figures f join core.images i using (pmcid, version, figure_index) order by i.size_bytes desc limit 5""",
)


def print_tour(lake: Lake, console: Console) -> None:
    """Run the examples on the lake and print them with their output."""
    with open_connection(lake) as connection:
        for sql in EXAMPLES:
            console.print(f'\npmc-assets sql "{sql}"', markup=False, highlight=False)
            console.print(rich_table(connection.sql(sql).to_arrow_table()))
    console.print(f"\nThe lake:  {lake.url}\nThe UI:    make ui, then http://127.0.0.1:3000")
    console.print(
        f'SQL:       .venv/bin/pmc-assets sql "select …", or duckdb -readonly {lake.full_path(WAREHOUSE)}',
        soft_wrap=True,
    )
