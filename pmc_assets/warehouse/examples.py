"""The examples of `sql/examples` with their answers from a lake, as Markdown. What they ask is in their headers.

Run: python -m pmc_assets.warehouse.examples lake
"""

import io
import sys
from collections.abc import Iterator

from pmc_assets.lake import Lake
from pmc_assets.warehouse.connection import open_connection
from pmc_assets.warehouse.contract import read_contracts, sql_folder
from pmc_assets.warehouse.query import run_on

SHOWN_ROWS = 5


def examples(lake: Lake) -> Iterator[str]:
    """Give each example as a section: question, SQL, the first rows of its answer."""
    with open_connection(lake) as connection:
        for contract in read_contracts(sql_folder() / "examples", "examples"):
            out = io.BytesIO()
            count = run_on(connection, contract.sql, out, format="md")
            rows = out.getvalue().decode().splitlines()[: SHOWN_ROWS + 2]
            more = f"\n\n({count} rows)" if count > SHOWN_ROWS else ""
            stem = contract.name.removeprefix("examples.")
            yield (
                f"<details>\n<summary>{contract.row} (<code>sql/examples/{stem}.sql</code>)</summary>\n\n"
                f"```sql\n{contract.sql}\n```\n\n" + "\n".join(rows) + f"{more}\n\n</details>\n"
            )


if __name__ == "__main__":
    sys.stdout.write("\n".join(examples(Lake(sys.argv[1]))))
