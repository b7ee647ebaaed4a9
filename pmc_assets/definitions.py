"""Everything that Dagster loads: the assets of every stage, their resources, jobs, schedules and sensors."""

import os
import warnings

import dagster as dg

warnings.filterwarnings("ignore", category=dg.PreviewWarning)
warnings.filterwarnings("ignore", category=dg.BetaWarning)

import pmc_assets.assets  # noqa: E402 - the filters above have to be there when partition mappings are made
from pmc_assets.annotations.encoders import DEFAULT_ENCODER  # noqa: E402
from pmc_assets.batches import DEFAULT_BATCH_IDS  # noqa: E402
from pmc_assets.entrez.efetch import NCBI_URL  # noqa: E402
from pmc_assets.processes import keep_what_is_made  # noqa: E402
from pmc_assets.resources.efetch import EFetchResource  # noqa: E402
from pmc_assets.resources.encoder import EncoderResource  # noqa: E402
from pmc_assets.resources.executor import choose_executor  # noqa: E402
from pmc_assets.resources.lake import LakeResource  # noqa: E402
from pmc_assets.resources.source import EMBEDDED_BUCKET, SourceResource  # noqa: E402
from pmc_assets.resources.variables import whole_number  # noqa: E402

keep_what_is_made()
EMBEDDED_SOURCE = EMBEDDED_BUCKET.resolve().as_uri()


def _secret(name: str) -> dg.EnvVar | str:
    """Refer to a variable by name, so that its value is in no configuration; unset is empty."""
    return dg.EnvVar(name) if os.environ.get(name) else ""


LAKE = LakeResource(
    url=os.environ.get("PMC_LAKE") or "lake",
    batch_ids=whole_number("PMC_BATCH_IDS", DEFAULT_BATCH_IDS),
    workers=whole_number("PMC_WORKERS", 1),
)

SOURCE_URL = os.environ.get("PMC_SOURCE") or EMBEDDED_SOURCE
SOURCE = SourceResource(
    url=SOURCE_URL,
    is_sample=SOURCE_URL == EMBEDDED_SOURCE,
    endpoint_url=os.environ.get("PMC_S3_ENDPOINT_URL", ""),
    keep=os.environ.get("PMC_KEEP") or "figures",
)

RESOURCES = {
    "lake": LAKE,
    "source": SOURCE,
    "encoder": EncoderResource(
        name=os.environ.get("PMC_ENCODER") or DEFAULT_ENCODER, checkpoint=os.environ.get("PMC_ENCODER_CHECKPOINT", "")
    ),
    "efetch": EFetchResource(
        base_url=os.environ.get("PMC_EFETCH_URL", NCBI_URL),
        api_key=_secret("NCBI_API_KEY"),
        email=_secret("NCBI_EMAIL"),
    ),
}

defs = dg.load_definitions_from_package_module(
    pmc_assets.assets, resources=RESOURCES, executor=choose_executor(os.environ.get("PMC_RAY_STEPS", ""))
)
