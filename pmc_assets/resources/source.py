"""The source of articles as a Dagster resource."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from pydantic import Field

from pmc_assets.lake import SAMPLE
from pmc_assets.packages.choose import Keep
from pmc_assets.source.open import BUDGET_S, CONNECTIONS, TIMEOUT_S, open_source
from pmc_assets.source.source import Source
from pmc_assets.source.transport import USER_AGENT

POOL = "source"
EMBEDDED_BUCKET = Path(".sample/bucket")
"""The source where none is named: the embedded sample, below the working directory."""


class SourceResource(dg.ConfigurableResource):
    """NLM's bucket, a mirror of it, or a folder of old file lists and tarballs."""

    url: str = Field(
        default="s3://pmc-oa-opendata", description="Root: s3://, gs://, https://, http://, file:// or a folder"
    )
    connections: int = Field(default=CONNECTIONS, description="Connections that one process keeps open")
    budget_s: float = Field(
        default=BUDGET_S, description="How long the source may go, in all, without a good answer [s]"
    )
    timeout_s: float = Field(default=TIMEOUT_S, description="How long one answer may stand still [s]")
    endpoint_url: str = Field(default="", description="Another S3 server than Amazon's; empty for Amazon's")
    user_agent: str = Field(default=USER_AGENT, description="How requests name themselves; add a contact")
    keep: str = Field(
        default="figures", description="Media to fetch: `figures` (those that graphics mean) or `media` (all)"
    )
    max_shrink: float = Field(
        default=0.02, description="Share of rows by which an inventory may shrink before it is refused"
    )

    is_sample: bool = Field(default=False, description="The embedded sample: synthetic articles, not PMC's")

    @property
    def contents(self) -> str:
        """Name what the source holds; a lake is made of one kind only."""
        return SAMPLE if self.is_sample else "articles of PMC"

    @property
    def kept(self) -> Keep:
        if self.keep not in ("figures", "media"):
            raise ValueError(f"keep is {self.keep!r}: say figures or media")
        return "media" if self.keep == "media" else "figures"

    @contextlib.contextmanager
    def opened(self) -> Iterator[Source]:
        """Open the source and close its connections at the end."""
        source = open_source(
            self.url,
            connections=self.connections,
            budget_s=self.budget_s,
            timeout_s=self.timeout_s,
            endpoint_url=self.endpoint_url or None,
            user_agent=self.user_agent,
        )
        with contextlib.closing(source):
            yield source
