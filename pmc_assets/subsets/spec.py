"""What a subset is: a query for sample keys, and how many of them are kept. Running it stays out."""

import hashlib
from dataclasses import dataclass
from functools import cache

import duckdb

from pmc_assets.licenses import LICENSE_GROUPS
from pmc_assets.warehouse.contract import BadContract, SqlContract, read_contracts, sql_folder
from pmc_assets.warehouse.guard import QueryError, one_line

FORMATS = ("wds", "parquet", "jsonl", "csv")


class BadSubset(ValueError):
    """A subset is asked for in a way that cannot be done."""


@dataclass(frozen=True)
class Balance:
    """Keep at most `most` samples of each value of `by`, an expression over out.samples; a list has several values."""

    by: str
    most: int

    @classmethod
    def parse(cls, text: str) -> "Balance":
        """Read `primary_label:5000`. Raises: BadSubset."""
        by, _, most = text.rpartition(":")
        if not by.strip() or not most.strip().isdecimal() or int(most) < 1:
            raise BadSubset(f"balance {text!r} is not `column:count`, such as primary_label:5000")
        check_expression(by)
        return cls(by.strip(), int(most))

    def __str__(self) -> str:
        return f"{self.by}:{self.most}"


@dataclass(frozen=True)
class SubsetSpec:
    """One subset: `sql` gives sample_key, of which `license_groups` (all where empty) are taken, balanced, limited.

    `where` is the condition over out.samples, where `sql` is no more than that.
    """

    name: str
    meaning: str
    sql: str
    license_groups: tuple[str, ...] = ()
    balance: Balance | None = None
    limit: int | None = None
    seed: int = 0
    formats: tuple[str, ...] = ("wds",)
    where: str = ""

    def __post_init__(self) -> None:
        if not self.name or not self.name.replace("_", "").replace("-", "").isalnum():
            raise BadSubset(f"{self.name!r} is no name for a subset: letters, digits, - and _ only")
        require_known("licence group", self.license_groups, LICENSE_GROUPS)
        require_known("format", self.formats, FORMATS)
        if self.limit is not None and self.limit < 1:
            raise BadSubset(f"limit {self.limit} keeps nothing")

    @property
    def digest(self) -> str:
        """Short digest of the query and the choices: the asset's code version."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


def subset_where(
    name: str,
    where: str,
    *,
    license_groups: tuple[str, ...] = (),
    balance: str = "",
    limit: int | None = None,
    seed: int = 0,
    format: str = "wds",
) -> SubsetSpec:
    """Make a subset of the samples that meet a condition over out.samples. Raises: BadSubset, QueryError."""
    check_expression(where)
    return SubsetSpec(
        name=name,
        meaning=f"Samples where {where}",
        sql=f"select sample_key from out.samples where (\n{where}\n)",
        license_groups=license_groups,
        balance=Balance.parse(balance) if balance else None,
        limit=limit,
        seed=seed,
        formats=(format,),
        where=where,
    )


@cache
def shipped_subsets() -> dict[str, SubsetSpec]:
    """Read `sql/subsets/*.sql` by name."""
    contracts = read_contracts(sql_folder() / "subsets", "subsets")
    return {contract.name.split(".")[1]: spec_of(contract) for contract in contracts}


def spec_of(contract: SqlContract) -> SubsetSpec:
    """Read a subset from its file's header: license_groups, balance, limit, seed, formats.

    Raises: BadContract, naming the file, for an entry that no subset has or a value that it cannot have.
    """
    entries = dict(contract.entries)
    groups, formats = (_names(entries.pop(entry, "")) for entry in ("license_groups", "formats"))
    balance, limit, seed = (entries.pop(entry, "") for entry in ("balance", "limit", "seed"))
    if entries:
        raise BadContract(f"{contract.name}: no subset has an entry {', '.join(entries)}")
    try:
        return SubsetSpec(
            name=contract.name.split(".")[1],
            meaning=contract.row,
            sql=contract.sql,
            license_groups=groups,
            balance=Balance.parse(balance) if balance else None,
            limit=_number("limit", limit) if limit else None,
            seed=_number("seed", seed or "0"),
            formats=formats or ("wds",),
        )
    except (BadSubset, QueryError) as error:
        raise BadContract(f"{contract.name}: {error}") from None


def _number(entry: str, text: str) -> int:
    if not text.removeprefix("-").isdecimal():
        raise BadSubset(f"{entry} {text!r} is no whole number")
    return int(text)


def check_expression(text: str) -> None:
    """Make sure that a text is one SQL expression and nothing beside it. Raises: QueryError."""
    try:
        duckdb.SQLExpression(text)
    except duckdb.Error as error:
        raise QueryError(f"{text!r} is no condition or expression: {one_line(error)}") from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def require_known(noun: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Raises: BadSubset for a name that is not one of the known."""
    for name in names:
        if name not in known:
            raise BadSubset(f"no {noun} {name!r}: one of {', '.join(known)}")
