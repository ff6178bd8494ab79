"""Intervals against scipy, published examples, brute-force inversion, and their symmetries."""

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.stats.betting import betting
from alpaca_eval_suite.stats.intervals import clopper_pearson, t_interval, wilson
from alpaca_eval_suite.stats.tango import tango

LEVELS = st.sampled_from([0.8, 0.9, 0.95, 0.99])
COUNTS = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40)).filter(lambda c: sum(c) > 0)
SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@given(k=st.integers(0, 60), more=st.integers(1, 60), level=LEVELS)
def test_wilson_and_clopper_pearson_are_scipys(k: int, more: int, level: float) -> None:
    n = k + more
    for ours, name in ((wilson, "wilson"), (clopper_pearson, "exact")):
        theirs = scipy.stats.binomtest(k, n).proportion_ci(level, method=name)
        found = ours(k, n, level)
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-8)


def test_wilson_of_a_published_example() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I: method 3 (score), to four digits.
    for (k, n), (low, high) in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        found = wilson(k, n)
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_t_interval_is_scipys() -> None:
    values = np.random.default_rng(0).random(30)
    theirs = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.9)
    found = t_interval(values, 0.9)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_t_interval_is_cut_and_needs_two_values() -> None:
    assert (t_interval([0, 1]).low, t_interval([0, 1]).high) == (0, 1)
    with pytest.raises(ValueError, match="two values"):
        t_interval([1.0])


def test_tango_of_a_published_example() -> None:
    # Cavo et al. (2012), complete response before and after consolidation: 59, 6, 16, 80; the interval
    # that the R package contingencytables prints (companion of Fagerland, Lydersen and Laake 2017, ch. 8).
    found = tango(6, 59 + 80, 16)
    assert (round(found.low, 4), round(found.high, 4)) == (-0.1240, -0.0054)


def score_by_search(d: float, wins: int, ties: int, losses: int) -> float:
    """Tango's statistic with the constrained likelihood maximised numerically, without his closed form."""
    n = wins + ties + losses

    def minus_log_likelihood(p_loss: float) -> float:
        cells = ((wins, p_loss + d), (ties, 1 - d - 2 * p_loss), (losses, p_loss))
        return -sum(count * np.log(max(p, 1e-300)) for count, p in cells if count)

    bounds = (max(0.0, -d), (1 - d) / 2)
    best = scipy.optimize.minimize_scalar(
        minus_log_likelihood, bounds=bounds, method="bounded", options={"xatol": 1e-12}
    ).x
    return float((wins - losses - n * d) / sqrt(n * (2 * best + d - d**2)))


@pytest.mark.parametrize("counts", [(6, 139, 16), (1, 12, 7), (3, 0, 20), (10, 5, 0), (2, 40, 2)])
def test_tango_inverts_the_score_test(counts: tuple[int, int, int]) -> None:
    z = NormalDist().inv_cdf(0.975)
    found = tango(*counts)
    if found.high < 1:
        assert score_by_search(found.high, *counts) == pytest.approx(-z, abs=1e-4)
    if found.low > -1:
        assert score_by_search(found.low, *counts) == pytest.approx(z, abs=1e-4)


def test_tango_without_discordant_pairs() -> None:
    # No win, no loss: z² = n·d/(1 - d) at the end, so d = z²/(n + z²).
    z2 = NormalDist().inv_cdf(0.975) ** 2
    found = tango(0, 30, 0)
    assert (found.low, found.high) == pytest.approx((-z2 / (30 + z2), z2 / (30 + z2)), abs=1e-12)


def test_tango_without_ties_is_wilson() -> None:
    # With every pair discordant the win rate is a binomial share, and the score intervals are the same.
    found, share = tango(17, 0, 5), wilson(17, 22)
    assert (0.5 + found.low / 2, 0.5 + found.high / 2) == pytest.approx((share.low, share.high), abs=1e-9)


@given(counts=COUNTS, level=LEVELS)
def test_tango_mirrors_and_holds_the_difference(counts: tuple[int, int, int], level: float) -> None:
    wins, ties, losses = counts
    found, swapped = tango(wins, ties, losses, level), tango(losses, ties, wins, level)
    assert (found.low, found.high) == (-swapped.high, -swapped.low)
    assert -1 <= found.low <= (wins - losses) / sum(counts) <= found.high <= 1


def hedged_capital_on_a_grid(shuffles: np.ndarray, level: float, grid: np.ndarray) -> tuple[float, float]:
    """The definition in plain loops: both capitals of every m, averaged over the shuffles."""
    n, alpha = shuffles.shape[1], 1 - level
    kept = []
    for m in grid:
        up, down = [], []
        for x in shuffles:
            rich, poor, total, squares, variance = 1.0, 1.0, 0.5, 0.25, 0.25
            for t, value in enumerate(x, 1):
                bet = sqrt(2 * np.log(2 / alpha) / (n * variance))
                rich *= 1 + min(bet, 0.5 / m) * (value - m)
                poor *= 1 - min(bet, 0.5 / (1 - m)) * (value - m)
                total += value
                squares += (value - total / (t + 1)) ** 2
                variance = squares / (t + 1)
            up.append(rich)
            down.append(poor)
        if max(np.mean(up) / 2, np.mean(down) / 2) < 1 / alpha:
            kept.append(m)
    return min(kept), max(kept)


def test_betting_is_its_definition() -> None:
    values = np.sort(np.random.default_rng(4).beta(2, 5, 40))
    drawn = np.random.default_rng(0)
    orders = [drawn.permutation(40) for _ in range(8)]
    shuffles = np.array([values[o] for o in orders] + [values[::-1][o] for o in orders])
    step = 1 / 400
    low, high = hedged_capital_on_a_grid(shuffles, 0.95, np.arange(step, 1, step))
    found = betting(values)
    assert low - step <= found.low <= low
    assert high <= found.high <= high + step


@given(values=SHARES, level=LEVELS)
def test_betting_mirrors_and_holds_the_mean(values: list[float], level: float) -> None:
    x = np.array(values)
    found, mirrored = betting(x, level), betting(1 - x, level)
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low), abs=1e-9)
    assert 0 <= found.low <= x.mean() + 1e-9
    assert x.mean() - 1e-9 <= found.high <= 1
    shuffled = np.random.default_rng(1).permutation(x)
    assert betting(shuffled, level) == found


def test_betting_covers_skewed_fractions() -> None:
    # 400 samples of 40 from Beta(.3, 2): the t interval is known to fall short here; betting must not.
    # Binomial error of .95 over 400 samples: .011, so .92 is under three of them below.
    rng = np.random.default_rng(5)
    mean = 0.3 / 2.3
    found = [betting(rng.beta(0.3, 2, 40)) for _ in range(400)]
    assert np.mean([i.low <= mean <= i.high for i in found]) >= 0.92


def test_nothing_to_count_is_an_error() -> None:
    for call in (
        lambda: wilson(0, 0),
        lambda: wilson(3, 2),
        lambda: clopper_pearson(-1, 2),
        lambda: tango(0, 0, 0),
        lambda: tango(-1, 5, 2),
        lambda: betting([]),
        lambda: betting([1.5]),
        lambda: betting([np.nan]),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            call()
