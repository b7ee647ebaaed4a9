"""The data dictionary: every table and column as Markdown, from the contracts; kept in a marked part of a document.

Run: python -m pmc_assets.warehouse.dictionary --write README.md
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from pmc_assets.schema import Table
from pmc_assets.warehouse.catalog import all_tables
from pmc_assets.warehouse.shared_views import shared_views
from pmc_assets.warehouse.views import duckdb_type, meanings

BEGIN = "<!-- dictionary -->"
END = "<!-- end of dictionary -->"


class NoMarkers(ValueError):
    """A document has no marked part for the dictionary."""


def dictionary() -> str:
    """Describe every table and view of the warehouse: row, key, partitions, columns with SQL type and meaning."""
    return "\n".join(line for table in (all_tables() | shared_views()).values() for line in _table(table))


def with_dictionary(document: str) -> str:
    """Give a document with its marked part made new. Raises: NoMarkers."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoMarkers(f"the document needs the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{dictionary()}\n{END}{after}"


def _table(table: Table) -> Iterator[str]:
    partitions = ", ".join(f"`{name}`" for name in table.partitioned_by) or "none"
    yield from ("<details>", f"<summary><code>{table.name}</code>: {_plain(table.row)}</summary>", "")
    yield f"Key: {', '.join(f'`{name}`' for name in table.key)}. Partitions: {partitions}."
    yield from ("", "| column | type | meaning |", "|---|---|---|")
    types = {field.name: duckdb_type(field.type).replace('"', "") for field in table.columns}
    for name, meaning in meanings(table).items():
        yield f"| `{name}` | {types.get(name, 'VARCHAR')} | {_plain(meaning)} |"
    yield from ("", "</details>", "")


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main(arguments: list[str]) -> None:
    """Write the dictionary into a document, or to standard output."""
    parser = argparse.ArgumentParser(description="Write the data dictionary.")
    parser.add_argument("--write", type=Path, help="Document whose marked part is made new.")
    document = parser.parse_args(arguments).write
    if document is None:
        sys.stdout.write(dictionary())
    else:
        document.write_text(with_dictionary(document.read_text()))


if __name__ == "__main__":
    main(sys.argv[1:])
