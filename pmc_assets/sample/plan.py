"""What one article of the sample will be, decided before anything is drawn or written."""

from dataclasses import dataclass, field, replace

import numpy as np

from pmc_assets.batches import DEFAULT_BATCH_IDS
from pmc_assets.sample.figure_plan import Figure, plan_figures
from pmc_assets.sample.traits import deposit_trait, markup_traits
from pmc_assets.sample.words import INSTITUTIONS, JOURNALS, TITLES, pick, sentence_case, topic

FIRST_BATCH = 90_001
FIRST_ID = 7
FIRST_PMID = 90_000_001
FIRST_CITED_PMID = 80_000_000
LICENSE_SHARES = {
    "CC BY": 0.55,
    "CC BY-NC": 0.1,
    "CC BY-NC-ND": 0.12,
    "CC BY-NC-SA": 0.04,
    "CC BY-SA": 0.03,
    "CC BY-ND": 0.03,
    "CC0": 0.04,
    "TDM": 0.02,
    "": 0.07,
}


@dataclass(frozen=True, slots=True)
class ArticlePlan:
    """One article version: ids, flags, words, figures. `seed_key` starts every random draw that it needs."""

    seed_key: tuple[int, ...]
    index: int
    pmcid: str
    version: int
    pmid: int | None
    doi: str
    license_code: str | None
    deposit: str
    markup: frozenset[str]
    title: str
    words: dict[str, str]
    journal: tuple[str, str, str, str, str]
    institution: tuple[str, str, str, str]
    year: int
    is_manuscript: bool = False
    figures: list[Figure] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        return f"{self.pmcid}.{self.version}"

    @property
    def mid(self) -> str | None:
        return f"NIHMS{1_000_000 + self.index}" if self.is_manuscript else None

    def cited_pmid(self, number: int) -> int:
        """Give the PMID of the article's reference of that number."""
        return FIRST_CITED_PMID + self.index * 10 + number

    def rng(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([*self.seed_key, self.version, purpose])


def batch_count(articles: int, articles_per_batch: int) -> int:
    """Count the blocks of 10,000 ids that a sample fills: at least three, so that a small one has partitions too."""
    return min(articles, max(3, -(-articles // articles_per_batch)))


def pmcid_of(index: int, articles: int, articles_per_batch: int) -> str:
    """Give the PMCID of the article at a place: blocks in order, ids evenly spaced in each.

    The ids are above any that PMC has given, so that no article of the sample passes for a real one.
    """
    batches = batch_count(articles, articles_per_batch)
    batch = index * batches // articles
    first, after = (-(-edge * articles // batches) for edge in (batch, batch + 1))
    step = (DEFAULT_BATCH_IDS - FIRST_ID - 1) // (after - first)
    return f"PMC{(FIRST_BATCH + batch) * DEFAULT_BATCH_IDS + FIRST_ID + (index - first) * step}"


def pmcid_after(number: int, articles: int, articles_per_batch: int) -> str:
    """Give the PMCID of a later article: in the block behind the last one."""
    return f"PMC{(FIRST_BATCH + batch_count(articles, articles_per_batch)) * DEFAULT_BATCH_IDS + FIRST_ID + number}"


def plan_article(seed: int, index: int, pmcid: str, deposit: str | None = None) -> list[ArticlePlan]:
    """Decide the versions of one article: one, or two where a manuscript stands beside the published article.

    `deposit` sets the deposit trait; else the article's place does.
    """
    rng = np.random.default_rng([seed, index])
    words = topic(rng)
    deposit = deposit_trait(index) if deposit is None else deposit
    has_pmid = index % 11 != 5 or deposit.startswith("record_")
    plan = ArticlePlan(
        seed_key=(seed, index),
        index=index,
        pmcid=pmcid,
        version=1,
        pmid=FIRST_PMID + index if has_pmid else None,
        doi=f"10.5555/sample.{seed}.{index}",
        license_code=str(rng.choice(list(LICENSE_SHARES), p=list(LICENSE_SHARES.values()))) or None,
        deposit=deposit,
        markup=markup_traits(rng, index),
        title=sentence_case(pick(rng, TITLES).format(**words)),
        words=words,
        journal=JOURNALS[rng.integers(len(JOURNALS))],
        institution=INSTITUTIONS[rng.integers(len(INSTITUTIONS))],
        year=int(rng.integers(2004, 2026)),
    )
    plan = replace(plan, license_code=_license_code(plan))
    plan = replace(plan, is_manuscript=plan.license_code == "TDM")
    plan.figures.extend(plan_figures(rng, seed, plan.index, plan.journal[4], plan.markup, plan.deposit, words))
    return _versions(plan)


def _license_code(plan: ArticlePlan) -> str | None:
    match plan.deposit:
        case "tdm_manuscript":
            return "TDM"
        case "no_license_code" | "not_open_access" | "historical_ocr":
            return None
        case "unknown_license_code":
            return "CC BY-NC-IGO"
        case "manuscript_beside" | "manuscript_first":
            return "CC BY"
    return plan.license_code


def _versions(plan: ArticlePlan) -> list[ArticlePlan]:
    manuscript = replace(plan, is_manuscript=True, license_code="TDM")
    match plan.deposit:
        case "manuscript_beside":
            return [plan, replace(manuscript, version=2)]
        case "manuscript_first":
            return [manuscript, replace(plan, version=2)]
    return [plan]
