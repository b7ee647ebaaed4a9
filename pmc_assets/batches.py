"""Batches: blocks of PMCIDs, named the way NLM names its ranges."""

import re

import pyarrow as pa
import pyarrow.compute as pc

PMCID_DIGITS = 9
DEFAULT_BATCH_IDS = 10_000
PMCID = r"PMC[1-9][0-9]{0,8}"


def batch_of(pmcid: str, batch_ids: int = DEFAULT_BATCH_IDS) -> str:
    """Name the batch of one PMCID.

    Raises: ValueError for a text that is no PMCID.
    """
    if re.fullmatch(PMCID, pmcid) is None:
        raise ValueError(f"{pmcid!r} is not a PMCID")
    return batch_names(pa.chunked_array([[pmcid_number(pmcid)]]), batch_ids)[0].as_py()


def batch_names(number: pa.ChunkedArray, batch_ids: int) -> pa.ChunkedArray:
    """Name the block of `batch_ids` consecutive ids (a power of ten) that holds each number: PMC01000xxxx."""
    open_digits = len(str(batch_ids)) - 1
    block = pc.utf8_lpad(pc.divide(number, batch_ids).cast(pa.string()), PMCID_DIGITS - open_digits, "0")
    return pc.binary_join_element_wise("PMC", block, "x" * open_digits, "")


def pmcid_number(pmcid: str) -> int:
    return int(pmcid[3:])


def article_order(pmcid: str, version: int) -> tuple[int, int]:
    """Give the order of every table: number of PMCID, version."""
    return pmcid_number(pmcid), version
