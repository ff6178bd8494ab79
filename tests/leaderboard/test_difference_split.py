"""The parts on plain arrays: they add up whatever the data, cover what was planted, and give in where data are thin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.leaderboard.difference.causes import groups_of
from alpaca_eval_suite.leaderboard.difference.counting import HOUSE, Rule, rule_of_counts, rule_of_units
from alpaca_eval_suite.leaderboard.difference.split import ENOUGH, Part, Split, Table, split
from alpaca_eval_suite.leaderboard.difference.tabulate import CAUSES, BoolArray
from alpaca_eval_suite.leaderboard.record import RateRecord

RESAMPLES = 200
RULES = [
    Rule(ties, failures) for ties in ("half", "left_out", "lost", "won") for failures in ("left_out", "lost", "half")
]


def table_of(
    mine: np.ndarray,
    published: np.ndarray,
    causes: dict[str, BoolArray],
    *,
    there: tuple[BoolArray, BoolArray] | None = None,
    rules: tuple[Rule, Rule] = (HOUSE, HOUSE),
    alike: tuple[np.ndarray, np.ndarray] | None = None,
) -> Table:
    everywhere = np.ones(len(mine), dtype=np.bool_)
    has = there or (everywhere, everywhere)
    own, other = rules

    def counted(values: np.ndarray, of: BoolArray, rule: Rule) -> np.ndarray:
        return np.where(of, rule.apply(values), np.nan)

    ruled = counted(mine, has[0], other), counted(published, has[1], other)
    in_orders = alike or (mine, published)
    in_both = counted(in_orders[0], has[0], other), counted(in_orders[1], has[1], other)
    return Table(
        own=counted(mine, has[0], own),
        ties=counted(mine, has[0], Rule(other.ties, own.failures)),
        mine=ruled[0],
        published=ruled[1],
        shared=has[0] & has[1],
        mine_alike=np.where(np.isnan(in_both[0]), ruled[0], in_both[0]),
        published_alike=np.where(np.isnan(in_both[1]), ruled[1], in_both[1]),
        causes={**dict.fromkeys(CAUSES, ~everywhere), **causes},
    )


def part(found: Split, *causes: str) -> Part:
    return next(of for of in found.parts if of.causes == causes)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 60),
    shares=st.tuples(*[st.sampled_from([0.0, 0.05, 0.5, 1.0])] * len(CAUSES)),
    there=st.tuples(*[st.sampled_from([0.3, 0.9, 1.0])] * 2),
    rules=st.tuples(*[st.sampled_from(RULES)] * 2),
)
def test_the_parts_add_up(
    seed: int, n: int, shares: tuple[float, ...], there: tuple[float, float], rules: tuple[Rule, Rule]
) -> None:
    rng = np.random.default_rng(seed)

    def drawn() -> np.ndarray:
        return rng.choice([0.0, 0.25, 0.5, 1.0, np.nan], size=n, p=[0.3, 0.1, 0.2, 0.3, 0.1])

    causes = {cause: rng.random(n) < share for cause, share in zip(CAUSES, shares, strict=True)}
    has = rng.random(n) < there[0], rng.random(n) < there[1]
    mine, published = drawn(), drawn()
    alike = tuple(np.where(np.isnan(of), of, drawn()) for of in (mine, published))
    table = table_of(mine, published, causes, there=has, rules=rules, alike=(alike[0], alike[1]))
    if any(np.isnan(of).all() for of in (table.own, table.ties, table.mine, table.published)):
        with pytest.raises(ValueError, match="no id of the"):
            split(table, resamples=RESAMPLES)
        return
    found = split(table, resamples=RESAMPLES)
    difference = np.nanmean(table.own) - np.nanmean(table.published)
    assert sum(of.value for of in found.parts) == pytest.approx(difference, abs=1e-9)
    assert found.whole.value == pytest.approx(difference, abs=1e-9)
    assert found.whole.interval is None or np.isfinite([found.whole.interval.low, found.whole.interval.high]).all()
    named = [cause for of in found.parts for cause in of.causes]
    assert sorted(named) == sorted({"ties", "failures", "items", "orders", "noise", *CAUSES})


@pytest.mark.parametrize(
    ("judge", "outputs", "n"), [(0.1, 0.0, 300), (0.0, 0.4, 300), (0.1, 0.3, 300), (0.1, 0.3, 100)]
)
def test_coverage_of_planted_parts(judge: float, outputs: float, n: int) -> None:
    """A third of the outputs differ; in 150 simulations the intervals of the two parts hold what was planted."""
    rng = np.random.default_rng(0)
    changed = np.arange(n) % 3 == 0
    truth = {("outputs",): outputs / 3 + (n % 3 != 0) * outputs * (changed.mean() - 1 / 3), ("judge",): judge}
    held = dict.fromkeys(truth, 0)
    draws = 150
    for _ in range(draws):
        hardness = rng.beta(2, 2, size=n) * 0.5
        published = (rng.random(n) < hardness).astype(float)
        mine = (rng.random(n) < hardness + judge + outputs * changed).astype(float)
        causes = {"outputs": changed, "judge": np.full(n, judge > 0)}
        found = split(table_of(mine, published, causes), resamples=500, rng=rng)
        for name, of in truth.items():
            interval = part(found, *name).interval
            held[name] += of == 0 if interval is None else interval.low <= of <= interval.high
    for name in truth:
        # Of 150 intervals at 95 %, at least 134 hold the truth with probability .999.
        assert held[name] >= 134, name


def test_effects_are_told_apart_where_several_differ_on_the_same_ids() -> None:
    n = 400
    outputs, baseline = np.arange(n) % 2 == 0, np.arange(n) % 4 < 2
    published = np.zeros(n)
    mine = 0.25 * outputs + 0.5 * baseline
    found = split(table_of(mine, published, {"outputs": outputs, "baseline": baseline}), resamples=RESAMPLES)
    assert part(found, "outputs").value == pytest.approx(0.125)
    assert part(found, "baseline").value == pytest.approx(0.25)
    assert part(found, "noise").value == 0


def test_causes_that_go_together_are_one_part() -> None:
    n = 100
    half, everywhere = np.arange(n) % 2 == 0, np.ones(n, dtype=np.bool_)
    names = groups_of({"outputs": half, "baseline": half, "judge": everywhere}, ENOUGH).names
    assert names == (("outputs", "baseline"), ("judge",))
    # Ten ids do not tell what the judge does to the other 90.
    few = np.arange(n) >= 10
    assert groups_of({"outputs": few, "judge": everywhere}, ENOUGH).names == (("outputs", "judge"),)
    # What ten ids add to the judge is seen, though roughly.
    assert groups_of({"outputs": ~few, "judge": everywhere}, ENOUGH).names == (("outputs",), ("judge",))


def test_a_part_that_few_ids_carry_says_so() -> None:
    n = 100
    few = np.arange(n) < 5
    published = (np.arange(n) % 2).astype(float)
    found = split(table_of(np.where(few, 1 - published, published), published, {"outputs": few}), resamples=RESAMPLES)
    interval = part(found, "outputs").interval
    assert interval is not None
    assert interval.method == "bca (rough: 5 ids carry it)"


def test_the_same_seed_gives_the_same_intervals() -> None:
    rng = np.random.default_rng(1)
    table = table_of(rng.random(50), rng.random(50), {"judge": np.ones(50, dtype=np.bool_)})
    assert split(table, resamples=RESAMPLES, rng=3) == split(table, resamples=RESAMPLES, rng=3)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_found_by_the_rate_it_gives(rule: Rule) -> None:
    units = np.array([1.0] * 11 + [0.0] * 5 + [0.5] * 7 + [np.nan] * 3)
    counted = rule.apply(units)
    rate = float(np.nanmean(counted))
    assert rule_of_units(units, RateRecord(value=rate, ci=None, n=26)) == rule
    published = {"win_rate": round(rate, 4), "wins": 11, "losses": 5, "ties": 7, "n_failed": 3}
    assert rule_of_counts(published) == rule


def test_a_rule_that_is_not_told() -> None:
    assert rule_of_units(np.array([1.0, 0.0]), RateRecord(value=0.3, ci=None, n=2)) is None
    assert rule_of_counts(None) is None
    assert rule_of_counts({"win_rate": 0.5, "wins": None, "losses": 1, "ties": 0, "n_failed": 0}) is None
    # Fractions of a win: the counts do not give the rate.
    assert rule_of_counts({"win_rate": 0.512, "wins": 300, "losses": 500, "ties": 5, "n_failed": 0}) is None
    # Without ties and failures all rules give the same; the house's is named.
    assert rule_of_units(np.array([1.0, 0.0]), RateRecord(value=0.5, ci=None, n=2)) == HOUSE
