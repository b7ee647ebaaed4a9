"""Whether every version on offer is accounted for in what a partition's packages say."""

from pmc_assets.lake import Lake, Partition
from pmc_assets.packages.stored import keys_of
from pmc_assets.schema import CORE_REJECTS, RAW_FILELISTS, RAW_PACKAGES

_KEY = ["pmcid", "version"]


def count_unaccounted(lake: Lake, partition: Partition) -> int:
    """Count the versions of the file list that have neither a stored XML nor a reject, and stored ones not on offer."""
    offered = keys_of(lake.read_table(RAW_FILELISTS, partition, columns=_KEY).to_pylist())
    rows = lake.read_table(RAW_PACKAGES, partition, columns=[*_KEY, "role"]).to_pylist()
    rejected = keys_of(lake.read_table(CORE_REJECTS, partition, columns=_KEY, stem="packages").to_pylist())
    with_xml = keys_of([row for row in rows if row["role"] == "xml"])
    return len(offered - with_xml - rejected) + len(keys_of(rows) - (offered & with_xml))
