"""Exactness: 200 random conditions, balances and limits against plain Python over the samples."""

import hashlib
import random
from collections import Counter
from collections.abc import Callable

import pytest

from pmc_assets.lake import Lake
from pmc_assets.subsets.select import SELECTED, Selection, select_samples
from pmc_assets.subsets.spec import BadSubset, SubsetSpec, subset_where
from pmc_assets.warehouse.build import FILES
from pmc_assets.warehouse.connection import open_connection
from pmc_assets.warehouse.guard import QueryError
from pmc_assets.warehouse.listing import Snapshot

Truth = bool | None
Condition = tuple[str, Callable[[dict], Truth]]

NUMBERS = ("year", "width_px", "height_px", "figure_index", "pmid")
TEXTS = ("license_code", "panel_type", "split", "license_group", "batch")
LISTS = ("primary_label", "secondary_label")
COMPARE = {
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
}


def atom(rng: random.Random, samples: list[dict]) -> Condition:
    """Draw a comparison; its Python twin gives None where SQL gives null."""
    kind = rng.choice(("number", "text", "in", "null", "list", "like", "length"))
    if kind in ("number", "text"):
        name, sign = rng.choice(NUMBERS if kind == "number" else TEXTS), rng.choice(list(COMPARE))
        value = rng.choice([s[name] for s in samples if s[name] is not None])
        shown = value if kind == "number" else f"'{value}'"
        return f"{name} {sign} {shown}", lambda s: None if s[name] is None else COMPARE[sign](s[name], value)
    if kind == "in":
        name = rng.choice(TEXTS)
        values = rng.sample(sorted({s[name] for s in samples if s[name] is not None}), 2)
        return f"{name} in ('{values[0]}', '{values[1]}')", lambda s: None if s[name] is None else s[name] in values
    if kind == "null":
        name = rng.choice(NUMBERS + TEXTS)
        return f"{name} is null", lambda s: s[name] is None
    if kind == "list":
        name = rng.choice(LISTS)
        value = rng.choice([v for s in samples for v in s[name]])
        return f"list_contains({name}, '{value}')", lambda s: value in s[name]
    if kind == "like":
        word = rng.choice(("lung", "stain", "b-lines", "zebra"))
        return f"caption ilike '%{word}%'", lambda s: word in s["caption"].lower()
    least = rng.randint(0, 3)
    return f"len(mentions) >= {least}", lambda s: len(s["mentions"]) >= least


def condition(rng: random.Random, samples: list[dict], depth: int = 2) -> Condition:
    if depth == 0 or rng.random() < 0.2:
        return atom(rng, samples)
    kind = rng.choice(("and", "or", "not"))
    (left, left_of), (right, right_of) = (condition(rng, samples, depth - 1) for _ in range(2))
    if kind == "not":
        return f"not ({left})", lambda s: None if left_of(s) is None else not left_of(s)
    if kind == "and":

        def both(s: dict) -> Truth:
            values = (left_of(s), right_of(s))
            return False if False in values else None if None in values else True

        return f"({left}) and ({right})", both

    def either(s: dict) -> Truth:
        values = (left_of(s), right_of(s))
        return True if True in values else None if None in values else False

    return f"({left}) or ({right})", either


@pytest.fixture(scope="module")
def chosen(made):
    """Choose samples, each time as if the connection, which is opened once, were new: nothing stays of a selection."""
    lake = Lake(made[0])
    snapshot = Snapshot.from_json(lake.read_bytes(FILES))
    with open_connection(lake) as connection:

        def choose(spec: SubsetSpec) -> tuple[set[str], Selection]:
            connection.begin()
            try:
                selection = select_samples(connection, lake, spec, snapshot)
                keys = [row[0] for row in connection.sql(f"select sample_key from {SELECTED}").fetchall()]
            finally:
                connection.rollback()
            assert len(keys) == len(set(keys)) == selection.samples
            return set(keys), selection

        yield choose


@pytest.mark.parametrize("block", range(8))
def test_random_conditions_equal_brute_force(made, chosen, block):
    _, samples = made
    rng = random.Random(block)
    for _ in range(25):
        where, truth = condition(rng, samples)
        groups = rng.choice(((), ("commercial",), ("noncommercial", "other")))
        keys, _ = chosen(subset_where("random", where, license_groups=groups))
        expected = {s["sample_key"] for s in samples if truth(s) and (not groups or s["license_group"] in groups)}
        assert keys == expected, where


def order(seed: int) -> Callable[[dict], tuple[str, str]]:
    return lambda s: (hashlib.md5(f"{seed}:{s['sample_key']}".encode()).hexdigest(), s["sample_key"])


def balanced(samples: list[dict], values_of: Callable[[dict], list], most: int, seed: int) -> set[str]:
    seen: Counter = Counter()
    kept = set()
    for sample in sorted(samples, key=order(seed)):
        values = values_of(sample)
        seen.update(values)
        if all(seen[value] <= most for value in values):
            kept.add(sample["sample_key"])
    return kept


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("most", [1, 12, 10_000])
def test_balance_by_a_column_keeps_exactly_the_cap_of_each_value(made, chosen, seed, most):
    _, samples = made
    keys, _ = chosen(subset_where("b", "is_default", balance=f"year:{most}", seed=seed))
    among = [s for s in samples if s["is_default"]]
    available = Counter(s["year"] for s in among)
    taken = Counter(s["year"] for s in among if s["sample_key"] in keys)
    assert taken == {year: min(most, count) for year, count in available.items()}
    assert keys == balanced(among, lambda s: [s["year"]], most, seed)


@pytest.mark.parametrize("most", [1, 15])
def test_balance_by_a_list_gives_no_entry_more_than_the_cap(made, chosen, most):
    _, samples = made
    keys, _ = chosen(subset_where("b", "true", balance=f"primary_label:{most}", seed=3))
    assert keys == balanced(samples, lambda s: s["primary_label"] or [None], most, 3)
    taken = Counter(label for s in samples if s["sample_key"] in keys for label in s["primary_label"])
    assert max(taken.values()) <= most


def test_balance_of_one_label_each_is_exact(made, chosen):
    _, samples = made
    among = [s for s in samples if len(s["primary_label"]) == 1]
    keys, _ = chosen(subset_where("b", "len(primary_label) = 1", balance="primary_label:20"))
    taken = Counter(s["primary_label"][0] for s in among if s["sample_key"] in keys)
    assert taken == {label: min(20, n) for label, n in Counter(s["primary_label"][0] for s in among).items()}


def test_limit_is_seeded_and_reproducible(made, chosen):
    _, samples = made
    first, _ = chosen(subset_where("l", "true", limit=37, seed=1))
    again, _ = chosen(subset_where("l", "true", limit=37, seed=1))
    other, _ = chosen(subset_where("l", "true", limit=37, seed=2))
    assert first == again == {s["sample_key"] for s in sorted(samples, key=order(1))[:37]} and first != other


def test_counts_are_those_of_the_samples(made, chosen):
    _, samples = made
    keys, selection = chosen(subset_where("c", "year > 2010"))
    kept = [s for s in samples if s["sample_key"] in keys]
    assert selection.articles == len({s["pmcid"] for s in kept})
    assert selection.by["split"] == Counter(s["split"] for s in kept)
    assert selection.by["license_code"] == Counter(s["license_code"] or "none" for s in kept)
    assert selection.not_in_shards == 0


def sql_subset(sql: str) -> SubsetSpec:
    return SubsetSpec(name="s", meaning="S", sql=sql)


def test_keys_given_twice_are_taken_once(made, chosen):
    _, samples = made
    keys, _ = chosen(sql_subset("select sample_key from out.samples union all select sample_key from out.samples"))
    assert len(keys) == len(samples)


@pytest.mark.parametrize(
    ("sql", "error", "said"),
    [
        ("select pmcid from out.samples", QueryError, "no sample_key"),
        ("select nope from out.samples", QueryError, "nope"),
        ("select 'PMC1_1' as sample_key", BadSubset, "no sample of this lake"),
        ("selekt", QueryError, "syntax"),
        ("copy out.samples to 'x'", QueryError, "COPY"),
        ("select sample_key from read_csv('/etc/passwd')", QueryError, "disabled by configuration"),
        ("select sample_key from out.samples; drop table x", QueryError, "one statement"),
    ],
)
def test_query_that_gives_no_samples_is_named(chosen, sql, error, said):
    with pytest.raises(error, match=said):
        chosen(sql_subset(sql))


@pytest.mark.parametrize("where", ["true) union select ('x'", "1; drop view out.samples", "nope = 1", "year >"])
def test_condition_that_is_none_is_named(chosen, where):
    with pytest.raises(QueryError):
        chosen(subset_where("w", where))


def test_condition_may_search(made, chosen):
    from pmc_assets.warehouse.search import update_search

    url, samples = made
    update_search(Lake(url))
    keys, _ = chosen(subset_where("w", "sample_key in (search('kidney')) and is_default"))
    assert keys == {s["sample_key"] for s in samples if "kidney" in s["caption"] and s["is_default"]}
