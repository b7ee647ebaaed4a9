"""Everything that Dagster loads: the assets of every stage, their resources, jobs, schedules and sensors."""

import os

import dagster as dg

import pmc_assets.assets
from pmc_assets.resources.lake import LakeResource

RESOURCES = {
    "lake": LakeResource(
        url=os.environ.get("PMC_LAKE", "lake"), batch_ids=int(os.environ.get("PMC_BATCH_IDS", "10000"))
    ),
}

defs = dg.load_definitions_from_package_module(pmc_assets.assets, resources=RESOURCES)
