"""Intervals of functions of sums: the BCa interval of a mean is the one that `bca` gives; what has no interval."""

import numpy as np
import pytest
import scipy.stats

from alpaca_eval_suite.stats.totals import of_totals


def mean(totals: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.asarray(totals[..., 0] / totals[..., 1])


def with_ones(values: np.ndarray) -> np.ndarray:
    return np.column_stack([values, np.ones(len(values))])


def test_a_mean_has_the_interval_that_scipy_gives() -> None:
    values = np.repeat([0.0, 1.0], [40, 160])
    found = of_totals(with_ones(values), mean, rng=np.random.default_rng(0))
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    assert found.value == 0.8
    assert found.ci is not None
    assert (found.ci.low, found.ci.high) == pytest.approx((theirs.low, theirs.high), abs=0.006)


def test_a_ratio_has_the_interval_that_scipy_gives() -> None:
    rng = np.random.default_rng(3)
    pairs = np.column_stack([rng.integers(1, 5, 150), rng.integers(2, 9, 150)]).astype(float)
    found = of_totals(pairs, mean, rng=np.random.default_rng(0))
    theirs = scipy.stats.bootstrap(
        (pairs[:, 0], pairs[:, 1]),
        lambda top, bottom, axis=-1: top.sum(axis=axis) / bottom.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=10_000,
        method="BCa",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert found.ci is not None
    assert (found.ci.low, found.ci.high) == pytest.approx((theirs.low, theirs.high), abs=0.006)


def test_the_order_of_the_items_does_not_matter() -> None:
    values = np.random.default_rng(0).choice([0.0, 0.5, 1.0], 80)
    one = of_totals(with_ones(values), mean, rng=np.random.default_rng(0))
    other = of_totals(with_ones(values[::-1]), mean, rng=np.random.default_rng(0))
    assert one == other


def test_alike_items_have_no_interval() -> None:
    found = of_totals(with_ones(np.ones(50)), mean, rng=np.random.default_rng(0))
    assert (found.value, found.ci) == (1.0, None)
    assert "alike" in found.reason


def test_no_items_and_undefined() -> None:
    assert of_totals(np.zeros((0, 2)), mean, rng=np.random.default_rng(0)).reason == "there are no items"
    assert of_totals(np.zeros((5, 2)), mean, rng=np.random.default_rng(0)).value is None
    rare = np.column_stack([np.zeros(10), np.r_[1.0, np.zeros(9)]])
    assert "undefined in" in of_totals(rare, mean, rng=np.random.default_rng(0)).reason
