"""EFetch of NCBI's E-utilities as a Dagster resource."""

from pathlib import Path

import dagster as dg
from pydantic import Field

from pmc_assets.entrez.efetch import NCBI_URL, RETRY_BUDGET_S, EFetch, Timeouts
from pmc_assets.entrez.rate import REQUESTS_PER_SECOND, REQUESTS_PER_SECOND_WITH_KEY, RateGate

POOL = "entrez"
RATE_FILE = "entrez-rate.json"


class EFetchResource(dg.ConfigurableResource):
    """NCBI's EFetch, or a service that answers like it. Give key and e-mail address as `EnvVar`, never as text."""

    base_url: str = Field(default=NCBI_URL, description="Folder of efetch.fcgi; empty switches EFetch off")
    api_key: str = Field(default="", description="NCBI API key: 10 requests a second in place of 3")
    email: str = Field(default="", description="E-mail address that NCBI may write to")
    refresh_after_days: float = Field(default=90.0, description="Records older than this are fetched again [days]")
    requests_per_second: float = Field(default=0.0, description="Rate of one machine; 0 is NCBI's limit [1/s]")
    retry_budget_s: float = Field(default=RETRY_BUDGET_S, description="What one partition may lose to faults [s]")

    def client(self, state_folder: Path) -> EFetch:
        """Make a client whose rate is shared by all processes that give the same folder."""
        limit = REQUESTS_PER_SECOND_WITH_KEY if self.api_key else REQUESTS_PER_SECOND
        gate = RateGate(state_folder / RATE_FILE, self.requests_per_second or limit)
        timeouts = Timeouts(retry_budget_s=self.retry_budget_s)
        return EFetch(self.base_url, gate, self.api_key, self.email, timeouts)
