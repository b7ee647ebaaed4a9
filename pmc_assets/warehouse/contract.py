"""The contract of a table that SQL derives: the header of its file. Running the SQL stays out.

-- One row per figure that has both a caption and an image.
-- depends: core.figures, core.images
-- partitioned_by: license_group, batch
-- column:  caption | figure title and paragraphs, markup dropped, spaces collapsed
-- key: pmcid, version, figure_index
-- required: caption
-- check: length(caption) > 0
"""

import hashlib
import re
from dataclasses import dataclass, field
from functools import cache
from itertools import takewhile
from pathlib import Path

_ENTRY = re.compile(r"^([a-z_]+):\s*(.*)$")
_LISTS = ("depends", "key", "partitioned_by", "required")
_REPEATED = ("column", "check")


class BadContract(ValueError):
    """A SQL file's header says something that cannot be used."""


@dataclass(frozen=True)
class SqlContract:
    """One SQL file: `row` says what a row is, `columns` maps name to meaning, `entries` any other `-- name: value`.

    The key and the `required` columns are never null.
    """

    name: str
    row: str
    sql: str
    depends: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    entries: dict[str, str] = field(default_factory=dict)
    partitioned_by: tuple[str, ...] = ("license_group", "batch")
    required: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash((self.name, self.sql))

    @property
    def digest(self) -> str:
        """Short digest of the query: the asset's code version."""
        return hashlib.sha256(self.sql.encode()).hexdigest()[:16]


def parse_contract(name: str, text: str) -> SqlContract:
    """Read a SQL file's header; a column may end in a unit in square brackets: `width_px | width [px]`.

    Raises: BadContract, naming the file and the line.
    """
    row: list[str] = []
    single: dict[str, str] = {}
    repeated: dict[str, list[str]] = {entry: [] for entry in _REPEATED}
    lines = text.splitlines()
    header = list(takewhile(lambda line: line.startswith("--"), lines))
    for number, line in enumerate(header, start=1):
        said = line.removeprefix("--").strip()
        entry = _ENTRY.match(said)
        if entry is None:
            if single or any(repeated.values()):
                raise BadContract(f"{name}, line {number}: prose after the first entry: {line!r}")
            row.append(said)
        elif entry[1] in _REPEATED:
            repeated[entry[1]].append(entry[2].strip())
        elif entry[1] in single:
            raise BadContract(f"{name}, line {number}: {entry[1]!r} is stated twice")
        else:
            single[entry[1]] = entry[2].strip()
    if not row:
        raise BadContract(f"{name}: the header must open with the meaning of a row")
    sql = "\n".join(lines[len(header) :]).strip().rstrip(";")
    if not sql:
        raise BadContract(f"{name}: no query follows the header")
    columns, units = _columns(name, repeated["column"])
    lists = {entry: _names(single.pop(entry)) for entry in _LISTS if entry in single}
    if unknown := set(lists.get("required", ())) - set(columns):
        raise BadContract(f"{name}: required, but no column: {', '.join(sorted(unknown))}")
    return SqlContract(
        name=name,
        row=" ".join(row).removesuffix("."),
        sql=sql,
        columns=columns,
        units=units,
        checks=tuple(repeated["check"]),
        entries=single,
        **lists,
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _columns(name: str, entries: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    columns: dict[str, str] = {}
    units: dict[str, str] = {}
    for entry in entries:
        column, bar, meaning = (part.strip() for part in entry.partition("|"))
        if not bar or not meaning:
            raise BadContract(f"{name}: column {entry!r} needs `name | meaning`")
        unit = re.search(r"\[([^\]]+)\]$", meaning)
        if unit:
            units[column] = unit[1]
        columns[column] = meaning
    return columns, units


def sql_folder() -> Path:
    """Find the project's SQL: `pmc_assets/sql` in an installed wheel, `sql` beside the package in a checkout.

    Raises: BadContract where neither exists.
    """
    package = Path(__file__).parent.parent
    for folder in (package / "sql", package.parent / "sql"):
        if folder.is_dir():
            return folder
    raise BadContract(f"no SQL folder at {package / 'sql'} or {package.parent / 'sql'}: reinstall pmc-assets")


def read_contracts(folder: Path, layer: str) -> list[SqlContract]:
    """Read every `*.sql` of a folder as `<layer>.<stem>`, by name."""
    return [parse_contract(f"{layer}.{path.stem}", path.read_text()) for path in sorted(folder.glob("*.sql"))]


@cache
def table_contracts() -> dict[str, SqlContract]:
    """Read the contract of every table that SQL derives: `sql/core/*.sql` and `sql/out/*.sql`, by table name."""
    folder = sql_folder()
    return {c.name: c for layer in ("core", "out") for c in read_contracts(folder / layer, layer)}


def find_contract(name: str) -> SqlContract:
    """Give the contract of a derived table.

    Raises: BadContract for a table that no file derives.
    """
    contracts = table_contracts()
    if name not in contracts:
        raise BadContract(f"{name}: no table of that name; derived are {', '.join(contracts) or 'none'}")
    return contracts[name]
