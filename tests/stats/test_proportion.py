"""Shares and their intervals."""

import numpy as np
import pytest

from alpaca_eval_suite.stats.intervals import wilson
from alpaca_eval_suite.stats.proportion import mean_rate, rate


def test_rate_is_a_share_with_wilsons_interval() -> None:
    found = rate(9, 12, n_failed=2)
    assert (found.estimate, found.interval, found.n, found.n_failed) == (0.75, wilson(9, 12), 12, 2)


def test_nothing_counted_is_no_rate() -> None:
    assert rate(0, 0, n_failed=4).as_json() == {"value": None, "ci": None, "n": 0, "n_failed": 4}
    assert mean_rate([]).as_json() == {"value": None, "ci": None, "n": 0, "n_failed": 0}
    assert mean_rate([np.nan, np.nan]).n_failed == 2


def test_impossible_counts_are_an_error() -> None:
    for successes, n in ((3, 2), (-1, 2), (1, 0)):
        with pytest.raises(ValueError, match="no proportion"):
            rate(successes, n)


def test_mean_rate_is_bca_where_that_works() -> None:
    values = np.random.default_rng(0).choice([0, 1 / 3, 2 / 3, 1], 60)
    found = mean_rate([*values, np.nan])
    assert found.estimate == pytest.approx(values.mean())
    assert (found.n, found.n_failed) == (60, 1)
    assert found.interval is not None
    assert found.interval.method == "bca"
    # About 1.96 standard errors to each side.
    half = 1.96 * values.std(ddof=1) / np.sqrt(60)
    assert (found.interval.high - found.interval.low) / 2 == pytest.approx(half, rel=0.08)


def test_mean_rate_falls_back_where_nearly_all_are_equal() -> None:
    found = mean_rate([1.0] * 57 + [0.5] * 3)
    assert found.interval is not None
    assert found.interval.method == "betting (fall-back: 3 values on one side of the mean, BCa needs 15)"
    assert found.interval.low < 0.975 < found.interval.high <= 1


def test_rounding_alone_is_no_spread() -> None:
    found = mean_rate([1 / 3] * 30 + [1 - 2 / 3] * 30)
    assert found.interval is not None
    assert found.interval.method.startswith("betting")


def test_one_value_works() -> None:
    found = mean_rate([0.5])
    assert (found.estimate, found.n) == (0.5, 1)
    assert found.interval is not None
    assert 0 <= found.interval.low < 0.5 < found.interval.high <= 1


def test_no_share_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        mean_rate([0.5, 1.5])
