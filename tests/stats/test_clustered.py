"""Means whose values belong to items: what a cluster does to an interval, and the fall-backs."""

import numpy as np
import pytest

from alpaca_eval_suite.stats.clustered import mean_by_item


def test_one_value_an_item_is_a_plain_mean() -> None:
    values = [1.0] * 40 + [0.0] * 60
    found = mean_by_item(values, [str(n) for n in range(100)])
    assert found.value == pytest.approx(0.4)
    assert found.ci is not None
    assert (found.ci.low, found.ci.high) == (pytest.approx(0.30, abs=0.015), pytest.approx(0.50, abs=0.015))
    assert (found.ci.method, found.n) == ("bca", 100)


def test_copies_of_a_value_are_no_new_information() -> None:
    values, items = [1.0] * 40 + [0.0] * 60, [str(n) for n in range(100)]
    once, ten_times = mean_by_item(values, items), mean_by_item(values * 10, items * 10)
    assert once.ci is not None
    assert ten_times.ci is not None
    assert ten_times.value == once.value
    assert ten_times.ci.low == pytest.approx(once.ci.low, abs=0.02)
    assert ten_times.ci.high == pytest.approx(once.ci.high, abs=0.02)


def test_coverage_with_unequal_items() -> None:
    # Every item has a rate of its own, 3 to 10 values; the mean over values is 0.5 by symmetry.
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        sizes = rng.integers(3, 11, size=80)
        rates = rng.choice([0.1, 0.9], size=80)
        items = np.repeat(np.arange(80), sizes)
        found = mean_by_item((rng.random(len(items)) < rates[items]).astype(float), items.astype(str), resamples=1000)
        assert found.ci is not None
        covered += found.ci.low <= 0.5 <= found.ci.high
    assert 180 <= covered <= 199  # 0.95, four standard errors to either side


def test_yes_or_no_of_few_items_has_wilsons_interval() -> None:
    found = mean_by_item([1.0] * 50, [str(n) for n in range(50)])
    assert found.ci is not None
    assert (found.ci.low, found.ci.high) == (pytest.approx(0.9287, abs=1e-4), 1.0)
    assert found.ci.method == "wilson (fall-back: 0 items on one side of the mean, BCa needs 15)"


def test_few_items_with_several_values_fall_back_to_bets() -> None:
    found = mean_by_item([1.0, 0.0, 1.0, 1.0, 0.5], ["a", "a", "b", "c", "c"])
    assert found.value == pytest.approx(0.7)
    assert found.ci is not None
    assert found.ci.method.startswith("betting (fall-back")
    assert 0 <= found.ci.low < 0.7 < found.ci.high <= 1


def test_differences_keep_their_sign() -> None:
    found = mean_by_item([0.5] * 30 + [-1.0] * 30, [str(n) for n in range(60)], span=(-1.0, 1.0))
    assert found.value == pytest.approx(-0.25)
    assert found.ci is not None
    assert -0.5 < found.ci.low < -0.25 < found.ci.high < 0


def test_nan_is_left_out_and_nothing_is_nothing() -> None:
    assert mean_by_item([1.0, np.nan], ["a", "b"]).n == 1
    nothing = mean_by_item([np.nan], ["a"])
    assert (nothing.value, nothing.ci, nothing.n) == (None, None, 0)
    with pytest.raises(ValueError, match="must lie in"):
        mean_by_item([2.0], ["a"])
