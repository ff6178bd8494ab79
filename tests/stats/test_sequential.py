"""The confidence sequence: coverage at every look, what is certain, failures, and the pre-drawn order."""

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats import Units, drawn_order, sequential
from alpaca_eval_suite.stats.sequential import log_capital, lower_sequence

NAN = float("nan")
values_lists = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=40)


def made(values: list[float] | np.ndarray) -> Units:
    return Units(tuple(f"{i:04}" for i in range(len(values))), np.array(values, dtype=np.float64))


def test_the_first_bet_by_hand() -> None:
    """One win of four: bet min(sqrt(2 log 40 / (¼ · 1 · log 2)), ½/m); at m = ¼ it wins 1 + 2 · ¾."""
    (first,) = log_capital(np.array([1.0]), 4, np.array([0.25, 0.9]), 0.025)
    assert np.exp(first) == pytest.approx([1 + 2 * 0.75, 1 + 0.5 / 0.9 * 0.1])


def test_the_next_mean_is_of_what_is_left() -> None:
    """After a win of 4 with mean ½, the other three share one win: the second win pays 1 + c/(1/3) · 2/3 = 2."""
    capital = log_capital(np.array([1.0, 1.0]), 4, np.array([0.5]), 0.025)
    assert np.exp(capital[1, 0] - capital[0, 0]) == pytest.approx(2.0)


def test_a_mean_that_is_exceeded_is_refuted() -> None:
    # Two wins of 8 are certain: means below 2/8 are impossible from the next value on.
    capital = log_capital(np.array([1.0, 1.0, 0.0]), 8, np.array([0.24, 0.26]), 0.025)
    assert capital[2, 0] == np.inf
    assert capital[2, 1] < np.inf


@settings(max_examples=60, deadline=None)
@given(values_lists)
def test_a_completed_sequence_ends_in_the_mean(values: list[float]) -> None:
    last = sequential(made(values)).looks[-1]
    assert last.n == len(values)
    assert (last.win_rate, last.low, last.high) == pytest.approx((np.mean(values),) * 3)


@settings(max_examples=40, deadline=None)
@given(values_lists, st.integers(0, 100))
def test_ends_narrow_and_never_cross(values: list[float], seed: int) -> None:
    looks = sequential(made(values), seed=seed).looks
    assert all(0 <= look.low <= look.high + 1e-9 <= 1 + 2e-9 for look in looks)
    if all(look.low <= np.mean(values) + 1e-9 and look.high >= np.mean(values) - 1e-9 for look in looks):
        lows, highs = [look.low for look in looks], [look.high for look in looks]
        assert np.diff(lows).min(initial=0.0) >= -1e-9
        assert np.diff(highs).max(initial=0.0) <= 1e-9


@settings(max_examples=40, deadline=None)
@given(values_lists)
def test_turned_around_it_is_the_mirror_image(values: list[float]) -> None:
    there, back = sequential(made(values)), sequential(made([1 - v for v in values]))
    assert [look.low for look in there.looks] == pytest.approx([1 - look.high for look in back.looks])
    assert there.decided_at == back.decided_at
    assert {there.decision, back.decision} in ({"model", "baseline"}, {"undecided"})


@pytest.mark.parametrize("p", [[0.5, 0.1, 0.4], [0.9, 0.05, 0.05], [0.0, 1.0, 0.0]])
def test_coverage_at_every_look(p: list[float]) -> None:
    """In 95 % of orders at least the mean is inside at all looks (3 standard errors allowed)."""
    rng = np.random.default_rng(7)
    population = np.repeat([0.0, 0.5, 1.0], (200 * np.array(p)).astype(int))
    mean, repeats, left_out = np.array([population.mean()]), 1500, 0
    for _ in range(repeats):
        x = rng.permutation(population)
        below, above = log_capital(x, len(x), mean, 0.025), log_capital(1 - x, len(x), 1 - mean, 0.025)
        left_out += bool(max(below[:-1].max(), above[:-1].max()) >= log(40))
    assert left_out / repeats <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)


@settings(max_examples=30, deadline=None)
@given(values_lists, st.floats(0.02, 0.98))
def test_a_bound_is_what_the_bets_have_refuted(values: list[float], mean: float) -> None:
    """The ends lie within a 4000th of where the capital says, and never on the wrong side of it."""
    x = np.array(values)
    low = lower_sequence(x, len(x), 0.1)
    over = np.maximum.accumulate(log_capital(x, len(x), np.array([mean]), 0.1)[:, 0]) >= log(10)
    certain = np.cumsum(x) / len(x) >= mean
    assert not (low > mean)[~over & ~certain].any()
    assert (low >= mean - 1 / 4000 - 1e-9)[over].all()


def test_a_t_interval_at_every_look_does_not_cover() -> None:
    """What the sequence is for: the same orders, looked at with a t interval each time."""
    rng = np.random.default_rng(7)
    population = np.repeat([0.0, 0.5, 1.0], [100, 20, 80])
    left_out = 0
    for _ in range(300):
        x = rng.permutation(population)[:100]
        n = np.arange(10, 101)
        means = np.cumsum(x)[9:] / n
        sds = np.array([x[:k].std(ddof=1) for k in n])
        left_out += bool((np.abs(means - population.mean()) > 1.96 * sds / np.sqrt(n)).any())
    assert left_out / 300 > 0.15


def test_a_clear_winner_is_decided_early() -> None:
    values = np.random.default_rng(0).permutation([1.0] * 640 + [0.0] * 165)
    found = sequential(made(values), seed=3)
    assert found.decision == "model"
    assert found.decided_at is not None
    assert found.decided_at < 200
    before, at = found.looks[found.decided_at - 2], found.looks[found.decided_at - 1]
    assert before.low <= 0.5 < at.low
    worse = sequential(made(1 - values), seed=3)
    assert (worse.decision, worse.decided_at) == ("baseline", found.decided_at)


def test_all_ties_are_never_decided() -> None:
    found = sequential(made([0.5] * 60))
    assert (found.decision, found.decided_at) == ("undecided", None)


def test_a_failure_counts_as_lost_below_and_as_won_above() -> None:
    found = sequential(made([1.0, NAN, 0.0, 1.0]))
    # All four: between (1 + 0 + 0 + 1)/4 and (1 + 1 + 0 + 1)/4.
    last = found.looks[-1]
    assert (last.low, last.high) == pytest.approx((0.5, 0.75))
    assert last.win_rate == pytest.approx(2 / 3)
    assert (found.n_failed, found.decided_at) == (1, None)


def test_nothing_but_failures() -> None:
    found = sequential(made([NAN, NAN]))
    assert [(look.win_rate, look.low, look.high) for look in found.looks] == [(None, 0.0, 1.0)] * 2


def test_the_order_is_the_seeds() -> None:
    ids = [f"{i:04}" for i in range(30)]
    assert drawn_order(ids, 5) == drawn_order(list(reversed(ids)), 5)
    assert sorted(drawn_order(ids, 5)) == ids
    assert drawn_order(ids, 5) != drawn_order(ids, 6)


def test_only_the_completed_prefix_counts() -> None:
    ids = [f"{i:04}" for i in range(10)]
    order = drawn_order(ids, 0)
    done = sorted({*order[:4], *order[5:8]})
    found = sequential(Units(tuple(done), np.ones(len(done))), ids=ids, seed=0)
    assert (len(found.looks), found.n_total) == (4, 10)
    # Four wins of ten are certain; nothing is known of the rest.
    assert found.looks[-1].low >= 0.4
    assert found.looks[-1].high == 1.0
    assert sequential(Units((order[1],), np.ones(1)), ids=ids, seed=0).looks == ()


def test_what_is_wrong_with_the_ids() -> None:
    with pytest.raises(SuiteError, match="no ids"):
        sequential(made([]))
    with pytest.raises(SuiteError, match="1 judged ids are not among all ids: '0001'"):
        sequential(made([1.0, 0.0]), ids=["0000", "x"])
    with pytest.raises(SuiteError, match="the id 'x' stands twice"):
        sequential(made([1.0]), ids=["0000", "x", "x"])


@pytest.mark.parametrize("values", [[1.5], [-0.1], [0.5] * 5, [NAN]])
def test_what_a_sequence_cannot_be_made_of(values: list[float]) -> None:
    with pytest.raises(ValueError, match="values in"):
        lower_sequence(values, 4, 0.025)


def test_the_capital_is_fair_at_the_mean() -> None:
    """Over all orders of a small set the capital at its mean is 1 on average: a martingale."""
    from itertools import permutations

    population = [0.0, 0.5, 1.0, 1.0, 0.25]
    orders = list(permutations(population))
    finals = [np.exp(log_capital(np.array(x), 5, np.array([0.55]), 0.025)[-2, 0]) for x in orders]
    assert np.mean(finals) == pytest.approx(1.0)
    assert max(finals) < np.exp(log(1 / 0.025))
