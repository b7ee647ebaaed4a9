"""Materialise one cell of core/pubmed_records in its own process, on the instance of DAGSTER_HOME."""

import os
import sys
import time
from pathlib import Path

import dagster as dg

from pmc_assets.assets.partitions import cell_key
from pmc_assets.assets.pubmed_records import pubmed_records
from pmc_assets.resources.efetch import EFetchResource
from pmc_assets.resources.lake import LakeResource

batch, license_group, go = sys.argv[1:]
Path(f"{go}.{license_group}").touch()
while not Path(go).exists():
    time.sleep(0.01)

outcome = dg.materialize(
    [pubmed_records],
    instance=dg.DagsterInstance.get(),
    partition_key=cell_key(batch, license_group),
    resources={
        "lake": LakeResource(url=os.environ["PMC_LAKE"]),
        "efetch": EFetchResource(base_url=os.environ["PMC_EFETCH_URL"]),
    },
)
sys.exit(not outcome.success)
