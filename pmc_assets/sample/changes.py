"""A later day of a sample's bucket: new, changed, re-licensed, retracted and removed articles, and a new inventory."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pmc_assets.sample.bucket import (
    RECORDS_SUFFIX,
    STATE_SUFFIX,
    TRUTH_SUFFIX,
    NotASample,
    record_rows,
    write_deposit,
)
from pmc_assets.sample.deposit import Deposit, make_deposit
from pmc_assets.sample.generation import SampleSize
from pmc_assets.sample.inventory import InventoryWriter, leave_unfinished, read_inventory
from pmc_assets.sample.plan import ArticlePlan, plan_article, pmcid_after, pmcid_of
from pmc_assets.sample.records import RECORDS_SCHEMA
from pmc_assets.sample.row_groups import append_rows
from pmc_assets.sample.sink import Sink
from pmc_assets.sample.truth import TRUTH_SCHEMA


@dataclass(frozen=True, slots=True)
class SampleChanged:
    """What the new day changed, as `pmcid.version`; `inventory_day` is the newest day with a manifest."""

    inventory_day: datetime
    added: tuple[str, ...]
    media_changed: tuple[str, ...]
    relicensed: tuple[str, ...]
    retracted: tuple[str, ...]
    removed: tuple[str, ...]


def change_sample(url: str, *, new_articles: int = 3, changes: int = 1, unfinished: bool = True) -> SampleChanged:
    """Turn a complete sample into its next day, in place: so many new articles, and `changes` of each other kind.

    `unfinished` leaves a still newer inventory folder without its manifest, as NLM's bucket has it for some hours.
    The bucket is no longer what `write_sample` wrote: that call replaces it.
    Raises: NotASample where no complete sample is; ValueError where it has too few plain articles.
    """
    sink = Sink(url)
    state = sink.read_beside(STATE_SUFFIX)
    if not state.get("written"):
        raise NotASample(f"{sink.url} holds no complete sample")
    size = SampleSize(**{name: state["arguments"][name] for name in ("articles", "articles_per_batch", "seed")})
    done = dict.fromkeys(("days", "taken", "added"), 0) | state["arguments"]
    days, taken = done["days"] + 1, done["taken"] + 4 * changes
    day = datetime.strptime(state["arguments"]["inventory_day"], "%Y-%m-%d") + timedelta(days=days)
    rows = read_inventory(sink, day - timedelta(days=1))
    plain = list(itertools.islice(_plain_articles(size), done["taken"], taken))
    if len(plain) < 4 * changes:
        raise ValueError(f"{size.articles} articles are too few for {changes} changes of each kind on day {days}")
    arguments = done | {"days": days, "taken": taken, "added": done["added"] + new_articles}
    sink.write_beside(STATE_SUFFIX, state | {"arguments": arguments})
    media, licence, retraction, removal = (plain[k * changes : (k + 1) * changes] for k in range(4))
    changed = [make_deposit(_with_other_picture(plan, days)) for plan in media]
    changed += [make_deposit(replace(plan, license_code="CC BY-NC")) for plan in licence]
    changed += [make_deposit(replace(plan, deposit="retracted")) for plan in retraction]
    added = [_new_article(size, done["added"] + k) for k in range(new_articles)]
    for deposit in changed + added:
        write_deposit(sink, deposit)
        rows[deposit.metadata_key] = (day, deposit.etag)
    for plan in removal:
        sink.remove(plan.prefix)
        sink.remove(f"metadata/{plan.prefix}.json")
        del rows[f"metadata/{plan.prefix}.json"]
    append_rows(sink, TRUTH_SUFFIX, TRUTH_SCHEMA, [row for deposit in added for row in deposit.truth])
    append_rows(sink, RECORDS_SUFFIX, RECORDS_SCHEMA, [row for deposit in added for row in record_rows(deposit)])
    inventory = InventoryWriter(size.seed, day, shards=2)
    for key, (modified, etag) in rows.items():
        inventory.add(key, modified, etag)
    inventory.finish(sink)
    if unfinished:
        leave_unfinished(sink, day + timedelta(days=1))
    names = [tuple(plan.prefix for plan in plans) for plans in (media, licence, retraction, removal)]
    return SampleChanged(day, tuple(deposit.prefix for deposit in added), *names)


def _plain_articles(size: SampleSize) -> Iterator[ArticlePlan]:
    """Plan again the articles that have one faultless version under CC BY, from the first on."""
    for index in range(size.articles):
        pmcid = pmcid_of(index, size.articles, size.articles_per_batch)
        plan = plan_article(size.seed, index, pmcid)[0]
        if not plan.deposit and plan.license_code == "CC BY":
            yield plan


def _with_other_picture(plan: ArticlePlan, day: int) -> ArticlePlan:
    """Draw the first picture anew; names, captions and all other files stay."""
    first, *others = plan.figures
    graphic, *graphics = first.graphics
    files = tuple(
        replace(file, picture=replace(file.picture, seed_key=(*file.picture.seed_key, day))) if file.picture else file
        for file in graphic.files
    )
    changed = replace(first, graphics=(replace(graphic, files=files), *graphics))
    return replace(plan, figures=[changed, *others])


def _new_article(size: SampleSize, number: int) -> Deposit:
    pmcid = pmcid_after(number, size.articles, size.articles_per_batch)
    return make_deposit(plan_article(size.seed, size.articles + number, pmcid, deposit="")[0])
