"""Sample keys as 64-bit numbers, the form in which indexes store them: PMCID, version, figure and graphic index."""

import re

from pmc_assets.batches import pmcid_number
from pmc_assets.warehouse.views import literal

MAX_VERSION = 99
MAX_FIGURE_INDEX = 99_999
MAX_GRAPHIC_INDEX = 999
PACKED_PER_PMCID = 10_000_000_000


def pack_sql(alias: str) -> str:
    """Give SQL that packs the key columns of a row into UBIGINT; a value beyond the limits is an error of the query."""
    too_large = (
        f"{alias}.version > {MAX_VERSION} or {alias}.figure_index > {MAX_FIGURE_INDEX}"
        f" or {alias}.graphic_index > {MAX_GRAPHIC_INDEX}"
    )
    fits = f"if({too_large}, error({literal('sample key beyond the packed limits: ')} || {alias}.pmcid), 0)::ubigint"
    return (
        f"({alias}.pmcid[4:]::ubigint * 10000000000 + {alias}.version::ubigint * 100000000"
        f" + {alias}.figure_index::ubigint * 1000 + {alias}.graphic_index::ubigint + {fits})"
    )


def unpack_sql(packed: str) -> str:
    """Give SQL that writes a packed key as sample_key."""
    return (
        f"format('PMC{{}}_{{}}_f{{:04d}}_g{{:02d}}', {packed} // 10000000000, ({packed} // 100000000) % 100,"
        f" ({packed} // 1000) % 100000, {packed} % 1000)"
    )


def pack(pmcid: str, version: int, figure_index: int, graphic_index: int) -> int:
    """Pack the key columns of a row as `pack_sql` does. Raises: ValueError beyond the limits."""
    if version > MAX_VERSION or figure_index > MAX_FIGURE_INDEX or graphic_index > MAX_GRAPHIC_INDEX:
        raise ValueError(f"sample key beyond the packed limits: {pmcid}, {version}, {figure_index}, {graphic_index}")
    return ((pmcid_number(pmcid) * 100 + version) * 100_000 + figure_index) * 1_000 + graphic_index


def parse_key(sample_key: str) -> tuple[str, int, int, int]:
    """Split a sample key into pmcid, version, figure_index and graphic_index.

    Raises: ValueError for a text that is no sample key.
    """
    match = re.fullmatch(r"(PMC\d+)_(\d+)_f(\d+)_g(\d+)", sample_key)
    if match is None:
        raise ValueError(f"{sample_key!r} is not a sample key such as PMC10009416_1_f0003_g00")
    return match[1], int(match[2]), int(match[3]), int(match[4])
