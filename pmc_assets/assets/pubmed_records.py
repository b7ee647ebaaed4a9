"""core/pubmed_records: what PubMed says of the articles of a cell."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from pmc_assets import schema
from pmc_assets.assets.partitions import cells, partition_of
from pmc_assets.assets.report import asset_key, check_specs, materialization, table_asset, timed
from pmc_assets.entrez.update import update_pubmed_records
from pmc_assets.resources.efetch import POOL, EFetchResource
from pmc_assets.resources.lake import LakeResource
from pmc_assets.results import StageResult

TABLE = schema.CORE_PUBMED_RECORDS
KEY = asset_key(TABLE.name)
ANSWERED_CHECK = "efetch_answered"
PMIDS_CHECK = "pmids_agree"


@dg.asset(
    **table_asset(TABLE),
    partitions_def=cells,
    deps=[asset_key(schema.RAW_FILELISTS.name), asset_key(schema.CORE_ARTICLES.name)],
    pool=POOL,
    check_specs=[
        *check_specs(KEY),
        dg.AssetCheckSpec(ANSWERED_CHECK, asset=KEY, description="EFetch answered for every PMID that it was to"),
        dg.AssetCheckSpec(PMIDS_CHECK, asset=KEY, description="File list and XML of an article state the same PMID"),
    ],
)
def pubmed_records(
    context: dg.AssetExecutionContext, lake: LakeResource, efetch: EFetchResource
) -> dg.MaterializeResult:
    """Fetch the PubMed records of one cell that are missing or old; without EFetch, keep what is known."""
    store, partition = lake.open(), partition_of(context)
    client = efetch.client(Path(context.instance.storage_directory()))
    with timed() as clock:
        result = update_pubmed_records(
            client,
            store,
            partition,
            now=datetime.now(UTC),
            refresh_after_days=efetch.refresh_after_days,
            progress=lambda done, total: context.log.info(f"{done:,} of {total:,} PMIDs asked for"),
        )
    return materialization(
        KEY, result, store, clock.seconds, table=TABLE, partition=partition, checks=_warnings(result)
    )


def _warnings(result: StageResult) -> tuple[dg.AssetCheckResult, ...]:
    problem, mismatches = str(result.details["efetch_problem"]), result.details["pmid_mismatches"]
    return (
        dg.AssetCheckResult(
            asset_key=KEY,
            check_name=ANSWERED_CHECK,
            passed=not problem,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"problem": problem, "records_not_fetched": result.details["records_not_fetched"]},
        ),
        dg.AssetCheckResult(
            asset_key=KEY,
            check_name=PMIDS_CHECK,
            passed=mismatches == 0,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"mismatches": mismatches, "examples": str(result.details["pmid_mismatch_examples"])},
        ),
    )
