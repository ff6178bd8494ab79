"""Orders: who is shown when, the balance, and the loss of precision against a simulation of it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.judge.orders import orders_of, precision_loss
from alpaca_eval_suite.types import Preference

IDS = [f"id{number}" for number in range(101)]


def test_both_and_single() -> None:
    assert orders_of(IDS, "both", 3) == dict.fromkeys(IDS, ("model_first", "baseline_first"))
    assert orders_of(IDS, "single", 3) == dict.fromkeys(IDS, ("model_first",))


@given(ids=st.sets(st.text()), seed=st.integers())
def test_half_of_the_ids_in_each_order(ids: set[str], seed: int) -> None:
    drawn = orders_of(ids, "balanced", seed)
    assert drawn.keys() == ids
    first = sum(orders == ("model_first",) for orders in drawn.values())
    second = sum(orders == ("baseline_first",) for orders in drawn.values())
    assert first + second == len(ids)
    assert first - second in (0, 1)


def test_the_draw_depends_on_ids_and_seed_alone() -> None:
    drawn = orders_of(IDS, "balanced", 1)
    assert orders_of(IDS[::-1] + IDS[:3], "balanced", 1) == drawn
    assert orders_of(IDS, "balanced", 2) != drawn
    # Neither neighbours nor the first half go together.
    assert 30 < sum(drawn[a] == drawn[b] for a, b in pairwise(IDS)) < 70


def verdicts(x: np.ndarray, y: np.ndarray) -> list[Preference]:
    return [
        Preference(str(number), float(win), order=order)  # type: ignore[arg-type]
        for order, wins in (("model_first", x), ("baseline_first", y))
        for number, win in enumerate(wins)
    ]


def test_the_loss_is_what_a_simulation_shows() -> None:
    """A judge who prefers the first place in a third of the pairs: samples of pairs, each shown once at random."""
    rng = np.random.default_rng(0)
    draws, n = 4000, 200
    better, biased = rng.random((draws, n)) < 0.6, rng.random((draws, n)) < 1 / 3
    x, y = np.where(biased, 1.0, better), np.where(biased, 0.0, better)
    once = np.where(rng.random((draws, n)) < 0.5, x, y)
    seen = once.mean(axis=1).std() / ((x + y) / 2).mean(axis=1).std()
    losses = [precision_loss(verdicts(x[draw], y[draw])) for draw in range(50)]
    assert np.mean([loss for loss in losses if loss is not None]) == pytest.approx(seen, rel=0.03)
    # The factor of the standard errors that are reported, with the orders as `balanced` draws them.
    balanced = np.where(np.arange(n) % 2, x, y).std(axis=1, ddof=1) / ((x + y) / 2).std(axis=1, ddof=1)
    assert np.mean(balanced) == pytest.approx(seen, rel=0.03)


def test_a_consistent_judge_loses_nothing() -> None:
    wins = np.array([1.0, 0.0, 0.5, 1.0])
    assert precision_loss(verdicts(wins, wins)) == 1


def test_by_hand() -> None:
    # u = 1, .5, 0 with variance .25; d = 0, .5, 0 with mean square 1/12.
    assert precision_loss(verdicts(np.array([1.0, 1, 0]), np.array([1.0, 0, 0]))) == pytest.approx((1 + 1 / 3) ** 0.5)


def test_where_nothing_can_be_said() -> None:
    assert precision_loss([]) is None
    one = verdicts(np.array([1.0]), np.array([0.0]))
    assert precision_loss(one) is None
    assert (
        precision_loss([*one, Preference("b", 1.0, order="model_first"), Preference("c", None, order="model_first")])
        is None
    )
    # Always first: no pair tells anything, in both orders or in one.
    assert precision_loss(verdicts(np.ones(9), np.zeros(9))) is None


def test_failed_verdicts_are_left_out() -> None:
    wins = verdicts(np.array([1.0, 1, 0]), np.array([1.0, 0, 0]))
    failed = [Preference("x", None, order="model_first"), Preference("x", 1.0, order="baseline_first")]
    assert precision_loss([*wins, *failed, Preference("y", 1.0)]) == precision_loss(wins)
