"""Articles of the sample in order of PMCID, made one by one or by worker processes with the same result."""

from collections.abc import Iterator
from dataclasses import dataclass

from pmc_assets.processes import ordered, process_pool
from pmc_assets.sample.deposit import Deposit, make_deposit
from pmc_assets.sample.plan import plan_article, pmcid_of

ARTICLES_PER_TASK = 20
TASKS_AHEAD_PER_WORKER = 3


@dataclass(frozen=True, slots=True)
class SampleSize:
    """What decides every id of a sample: how many articles, how dense in their batches, which seed."""

    articles: int
    articles_per_batch: int
    seed: int

    def article(self, index: int) -> list[Deposit]:
        """Make the versions of the article at a place."""
        pmcid = pmcid_of(index, self.articles, self.articles_per_batch)
        return [make_deposit(plan) for plan in plan_article(self.seed, index, pmcid)]

    def stretch(self, indexes: range) -> list[list[Deposit]]:
        return [self.article(index) for index in indexes]


def make_articles(size: SampleSize, workers: int) -> Iterator[list[Deposit]]:
    """Yield each article's deposits, in order. `workers` above 1 draws in processes; only a few tasks are ahead."""
    if workers <= 1:
        yield from map(size.article, range(size.articles))
        return
    all_indexes = range(size.articles)
    tasks = (all_indexes[start : start + ARTICLES_PER_TASK] for start in all_indexes[::ARTICLES_PER_TASK])
    with process_pool(workers) as pool:
        for deposits in ordered(pool, size.stretch, tasks, workers * TASKS_AHEAD_PER_WORKER):
            yield from deposits
