"""Consistency over orders, position bias, and the floor under which a judge says nothing."""

import numpy as np
import pytest
import scipy.stats

from alpaca_eval_suite.stats.position import first_shown_rate, has_information, order_consistency
from alpaca_eval_suite.types import Preference


def pairs(*wins: tuple[float | None, float | None], judge: str = "judge") -> list[Preference]:
    """One id a pair: the model's win when it is shown first, and when the baseline is."""
    return [
        Preference(str(index), win, judge=judge, order=order)  # type: ignore[arg-type]
        for index, pair in enumerate(wins)
        for win, order in zip(pair, ("model_first", "baseline_first"), strict=True)
    ]


def test_agreement_is_the_same_side_of_a_half() -> None:
    found = order_consistency(pairs((1, 1), (0.6, 0.9), (0.5, 0.5), (0.5, 1), (1, 0), (0.4, 0.6)))
    assert found.estimate == 3 / 6
    assert (found.n, found.n_failed) == (6, 0)


def test_plain_agreement_has_the_exact_interval() -> None:
    found = order_consistency(pairs(*[(1, 1)] * 7, *[(1, 0)] * 3, (None, 1), (None, None)))
    exact = scipy.stats.binomtest(7, 10).proportion_ci(method="exact")
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert found.interval.method == "clopper-pearson"
    assert (found.n, found.n_failed) == (10, 2)


def test_several_judges_are_counted_by_id() -> None:
    verdicts = pairs(*[(1, 1)] * 30, *[(1, 0)] * 30, judge="j") + pairs(*[(1, 1)] * 60, judge="k")
    found = order_consistency(verdicts)
    assert found.n == 60
    assert found.estimate == pytest.approx(0.75)
    assert found.interval is not None
    assert found.interval.method == "bca"
    # The two judges of an id belong together: half an id's spread is .25, so the half-width is
    # 1.96 · .25/√60 = .063; counting 120 pairs as independent would give .077.
    assert (found.interval.high - found.interval.low) / 2 == pytest.approx(0.063, abs=0.004)


def test_pairs_of_one_order_are_not_counted() -> None:
    verdicts = [*pairs((1, 1)), Preference("x", 1, order="model_first"), Preference("y", 1)]
    assert order_consistency(verdicts).n == 1
    assert first_shown_rate(verdicts).n == 1


def test_nothing_in_both_orders_gives_no_rate() -> None:
    for found in (order_consistency([Preference("a", 1)]), first_shown_rate([Preference("a", 1)])):
        assert (found.estimate, found.interval, found.n) == (None, None, 0)
    assert has_information([Preference("a", 1)]).informative is None


def test_first_shown_rate() -> None:
    # Shown first wins both times, once each, never; then a tie against a win of the first.
    found = first_shown_rate(pairs((1, 0), (1, 1), (0, 1), (0.5, 0)))
    assert found.estimate == pytest.approx((1 + 0.5 + 0 + 0.75) / 4)


def test_a_judge_without_bias_is_at_a_half_whatever_the_model_is_worth() -> None:
    found = first_shown_rate(pairs(*[(1, 1)] * 90, *[(0, 0)] * 10))
    assert found.estimate == 0.5
    assert found.interval is not None
    assert found.interval.low <= 0.5 <= found.interval.high


def test_always_first_holds_no_information() -> None:
    verdicts = pairs(*[(1, 0)] * 40)
    found = has_information(verdicts)
    assert found.informative is False
    assert found.consistency.estimate == 0
    assert found.reason.startswith("no information")
    assert first_shown_rate(verdicts).estimate == 1.0


def test_a_coin_holds_no_information() -> None:
    tosses = np.random.default_rng(3).integers(0, 2, size=(800, 2)).astype(float)
    found = has_information(pairs(*map(tuple, tosses.tolist())))
    assert found.informative is False
    assert found.consistency.estimate == pytest.approx(0.5, abs=0.05)


def test_always_tie_holds_no_information() -> None:
    found = has_information(pairs(*[(0.5, 0.5)] * 200))
    assert found.consistency.estimate == 1.0
    assert found.floor == 1.0
    assert found.informative is False


def test_a_consistent_judge_holds_information() -> None:
    found = has_information(pairs(*[(1, 1)] * 30, *[(0, 0)] * 40, *[(1, 0)] * 10))
    assert found.informative is True
    assert found.floor == 0.5
    assert "87.5%" in found.reason


def test_too_few_pairs_do_not_show_information() -> None:
    # Four of four: the exact interval begins at .398, under the coin.
    assert has_information(pairs(*[(1, 1)] * 4)).informative is False
