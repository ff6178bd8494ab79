"""Numbers of instructions: against the textbook and statsmodels, and by simulating the runs planned."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats import (
    Spread,
    detectable_difference,
    instructions_for_difference,
    instructions_for_half_width,
    spread,
    spread_paired,
    spread_unpaired,
)
from alpaca_eval_suite.types import Order, Preference


def verdicts(wins: list[float | None], order: Order = "single") -> list[Preference]:
    return [Preference(f"{i:03}", win, order=order) for i, win in enumerate(wins)]


def test_textbook_figures() -> None:
    # A share of 50 % to ± 5 points: 385 (Cochran 1977, section 4.4).
    assert instructions_for_half_width(0.5, 0.05) == 385
    # (1.959964 + .841621)² · .25 / .05² = 784.9.
    assert instructions_for_difference(0.5, 0.05) == 785
    assert instructions_for_half_width(0.0, 0.05) == 2


def test_equals_statsmodels() -> None:
    power = pytest.importorskip("statsmodels.stats.power")
    n = power.NormalIndPower(ddof=0).solve_power(effect_size=0.04 / 0.45, alpha=0.05, power=0.9, ratio=0)
    assert instructions_for_difference(0.45, 0.04, power=0.9) == int(np.ceil(n))


@given(st.floats(0.05, 0.5), st.floats(0.01, 0.3))
def test_that_many_are_enough_and_one_less_is_not(sd: float, wanted: float) -> None:
    n = instructions_for_difference(sd, wanted)
    assert detectable_difference(sd / np.sqrt(n)) <= wanted * (1 + 1e-8)
    if n > 2:
        assert detectable_difference(sd / np.sqrt(n - 1)) > wanted * (1 - 1e-8)


def test_the_planned_run_finds_the_difference_8_times_in_10() -> None:
    p = 0.58
    n = instructions_for_difference(float(np.sqrt(p * (1 - p))), p - 0.5)
    wins = np.random.default_rng(0).binomial(n, p, 4000) / n
    found = np.abs(wins - 0.5) > 1.959964 * np.sqrt(wins * (1 - wins) / n)
    assert found.mean() == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("sd", "wanted"), [(0.5, 0.0), (-0.1, 0.1), (float("nan"), 0.1), (0.5, -0.1)])
def test_what_no_number_follows_from(sd: float, wanted: float) -> None:
    with pytest.raises(ValueError, match="no number of units"):
        instructions_for_half_width(sd, wanted)


def test_spread_of_a_single_order_by_hand() -> None:
    found = spread(verdicts([1.0, 0.0, 1.0, 0.0, None]))
    assert found == Spread(pytest.approx(np.sqrt(1 / 3)), None)


def test_both_orders_average_out_a_position_bias() -> None:
    """A judge who takes the first always: each order is all or nothing, the mean of both always a half."""
    found = spread(verdicts([1.0] * 20, "model_first") + verdicts([0.0] * 20, "baseline_first"))
    assert found.one_order == pytest.approx(np.sqrt(40 * 0.25 / 39))
    assert found.both_orders == 0.0


def test_one_known_order_tells_nothing_of_both() -> None:
    assert spread(verdicts([1.0, 0.0], "model_first")).both_orders is None


def test_paired_and_unpaired_by_hand() -> None:
    a, b = verdicts([1.0, 1.0, 0.0, 0.0]), verdicts([1.0, 0.0, 0.0, 0.0])
    # Differences 0, 1, 0, 0: variance 1/4; apart 1/3 + 1/4.
    assert spread_paired(a, b).one_order == pytest.approx(0.5)
    assert spread_unpaired(spread(a), spread(b)).one_order == pytest.approx(np.sqrt(1 / 3 + 1 / 4))
    assert spread_unpaired(Spread(0.3, None), Spread(0.4, 0.1)) == Spread(pytest.approx(0.5), None)


def test_files_that_share_nothing() -> None:
    with pytest.raises(SuiteError, match="fewer than two ids"):
        spread_paired(verdicts([1.0, 0.0]), [Preference("x", 1.0)])


def test_failures_do_not_count() -> None:
    assert spread(verdicts([1.0, None])) == Spread(None, None)
