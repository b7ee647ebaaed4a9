"""Batches: blocks of PMCIDs, named the way NLM names its ranges."""

import re

PMCID_DIGITS = 9
DEFAULT_BATCH_IDS = 10_000
_PMCID = re.compile(r"PMC([1-9]\d{0,8})")


def batch_of(pmcid: str, batch_ids: int = DEFAULT_BATCH_IDS) -> str:
    """Name the block of `batch_ids` consecutive ids (a power of ten) that holds a PMCID: PMC01000xxxx.

    Raises: ValueError for a text that is no PMCID.
    """
    match = _PMCID.fullmatch(pmcid)
    if match is None:
        raise ValueError(f"{pmcid!r} is not a PMCID")
    open_digits = len(str(batch_ids)) - 1
    digits = match[1].zfill(PMCID_DIGITS)
    return "PMC" + digits[: PMCID_DIGITS - open_digits] + "x" * open_digits


def pmcid_number(pmcid: str) -> int:
    """Give a PMCID's number: the order of every table."""
    return int(pmcid[3:])
