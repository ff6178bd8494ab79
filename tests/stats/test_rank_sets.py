"""Rank sets: by hand, and their joint coverage beside that of percentiles of resampled ranks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.stats import rank_sets, ranks


def resampled(estimates: np.ndarray, sd: float, rng: np.random.Generator, n: int = 1000) -> np.ndarray:
    return estimates + sd * rng.standard_normal((n, len(estimates)))


def test_far_apart_every_rank_is_known() -> None:
    theta = np.array([0.0, 30.0, 10.0, 20.0])
    sets = rank_sets(theta, resampled(theta, 1.0, np.random.default_rng(0)))
    assert sets.low == sets.high == (4, 1, 3, 2)


def test_equal_models_may_have_any_rank() -> None:
    theta = np.zeros(5)
    sets = rank_sets(theta, resampled(theta, 1.0, np.random.default_rng(0)))
    assert (sets.low, sets.high) == ((1,) * 5, (5,) * 5)


def test_two_groups_by_hand() -> None:
    theta = np.array([0.0, 0.1, 50.0, 50.1])
    sets = rank_sets(theta, resampled(theta, 1.0, np.random.default_rng(0)))
    assert (sets.low, sets.high) == ((3, 3, 1, 1), (4, 4, 2, 2))


def test_what_does_not_vary_is_not_significant() -> None:
    boot = np.tile(np.random.default_rng(0).standard_normal((200, 1)), 2)
    sets = rank_sets(np.array([0.0, 0.0]), boot)
    assert (sets.low, sets.high) == ((1, 1), (2, 2))


def test_one_model() -> None:
    assert rank_sets([0.3], np.zeros((10, 1))).high == (1,)


def test_ranks_share_the_best_place() -> None:
    assert ranks([0.1, 0.5, 0.5, -1.0]) == [3, 1, 1, 4]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=7), st.floats(0.01, 2))
def test_a_set_holds_the_estimated_rank(estimates: list[float], sd: float) -> None:
    theta = np.array(estimates)
    sets = rank_sets(theta, resampled(theta, sd, np.random.default_rng(1), 200))
    worst = [len(theta) + 1 - r for r in ranks(-theta)]
    assert all(low <= r for low, r in zip(sets.low, ranks(theta), strict=True))
    assert all(w <= high for w, high in zip(worst, sets.high, strict=True))


def by_percentiles(boot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The naive sets: percentiles of the ranks in each resample."""
    order = (-boot).argsort(axis=1).argsort(axis=1) + 1
    return tuple(np.quantile(order, [0.025, 0.975], axis=0, method="inverted_cdf"))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("truth", "naive_at_most"),
    [(np.zeros(8), 0.45), (np.array([0, 0, 0, 1, 1, 2.5, 6, 6]), 0.7)],
    ids=["tied", "mixed"],
)
def test_joint_coverage(truth: np.ndarray, naive_at_most: float) -> None:
    """In 95 % of samples at least all sets hold at once (3 standard errors allowed). A true rank is a range where
    models are tied: from 1 + those above to all but those below."""
    rng = np.random.default_rng(11)
    best = np.array([1 + (truth > t).sum() for t in truth])
    worst = np.array([len(truth) - (truth < t).sum() for t in truth])
    held = naive = 0
    repeats = 400
    for _ in range(repeats):
        estimates = truth + rng.standard_normal(len(truth))
        boot = resampled(estimates, 1.0, rng, 400)
        sets = rank_sets(estimates, boot)
        held += bool((np.array(sets.low) <= best).all() and (np.array(sets.high) >= worst).all())
        low, high = by_percentiles(boot)
        naive += bool((low <= best).all() and (high >= worst).all())
    assert held / repeats >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / repeats)
    assert naive / repeats < naive_at_most
