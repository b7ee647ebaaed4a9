"""The embedded sample as the source of a first run: written once, with its EFetch stand-in beside it."""

import contextlib
import os
from collections.abc import Iterator

from rich.console import Console

from pmc_assets.resources.source import EMBEDDED_BUCKET
from pmc_assets.resources.variables import whole_number

SAMPLE_ARTICLES = 240


@contextlib.contextmanager
def embedded_source(console: Console) -> Iterator[None]:
    """Where PMC_SOURCE is unset, write the sample (once) and serve its PubMed records while the block runs.

    Sets PMC_SOURCE and PMC_EFETCH_URL for this process and those that it starts.
    """
    if os.environ.get("PMC_SOURCE"):
        yield
        return
    from pmc_assets.sample.bucket import write_sample
    from pmc_assets.sample.efetch import serve_efetch

    articles = whole_number("PMC_SAMPLE_ARTICLES", SAMPLE_ARTICLES)
    seed = whole_number("PMC_SAMPLE_SEED", 0)
    bucket = EMBEDDED_BUCKET.resolve()
    with console.status("writing the embedded sample"):
        records = write_sample(str(bucket), articles, seed, workers=os.cpu_count() or 1).records_path
    with serve_efetch(records) as url:
        os.environ.update(PMC_SOURCE=bucket.as_uri(), PMC_EFETCH_URL=url)
        try:
            yield
        finally:
            for name in ("PMC_SOURCE", "PMC_EFETCH_URL"):
                os.environ.pop(name, None)
