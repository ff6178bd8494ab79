"""Our bootstrap against scipy's, and what holds whatever the draws."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.stats.bootstrap import _indices, bca, percentile


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


SAMPLES = {
    "win/tie/loss": rng(1).choice([0, 0.5, 1], 805, p=[0.7, 0.1, 0.2]),
    "skewed win/loss": rng(2).choice([0.0, 1.0], 252, p=[0.92, 0.08]),
    "quarters": rng(3).choice([0, 0.25, 0.5, 0.75, 1], 252),
    "fractions": rng(4).beta(0.3, 0.9, 805),
    "few fractions": rng(5).beta(0.2, 2, 60),
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(("ours", "theirs"), [(bca, "BCa"), (percentile, "percentile")])
def test_agrees_with_scipy(name: str, ours: type, theirs: str) -> None:
    # The end of an interval is a quantile of 20,000 means, about 2.5 % deep: its Monte-Carlo error is
    # sqrt(.025 · .975/20,000)/density ≈ .0011/(.058/se) = .019 se each; 5 errors of a difference: .135 se.
    # BCa adds the error of its bias correction (sd of Φ⁻¹(share) ≈ 1.25/√20,000 = .009, doubled in the end):
    # .2 se holds both, and one step of the discrete means besides.
    values = SAMPLES[name]
    n, se = len(values), values.std(ddof=1) / np.sqrt(len(values))
    found = ours(values, resamples=20_000, rng=rng())
    other = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, batch=1_000, method=theirs, rng=rng(9)
    ).confidence_interval
    step = 1 / n if name in ("win/tie/loss", "skewed win/loss", "quarters") else 0
    assert found.low == pytest.approx(other.low, abs=0.2 * se + step)
    assert found.high == pytest.approx(other.high, abs=0.2 * se + step)


def test_bca_corrects_for_skewness() -> None:
    # 20 of 252 won: the end towards the long tail moves out by a few per cent of a standard error,
    # both ends up, as the percentile interval's do not.
    values = SAMPLES["skewed win/loss"]
    plain, corrected = percentile(values, rng=rng()), bca(values, rng=rng())
    assert corrected.low > plain.low
    assert corrected.high > plain.high


@pytest.mark.parametrize("method", [bca, percentile])
@pytest.mark.parametrize("values", [[], [0.5], [1.0, 1.0, 1.0]])
def test_equal_values_have_no_bootstrap(method: type, values: list[float]) -> None:
    with pytest.raises(ValueError, match="two different values"):
        method(values, rng=rng())


SHARES = st.lists(st.floats(0, 1), min_size=2, max_size=50).filter(lambda v: max(v) - min(v) > 1e-3)
OUTCOMES = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=50).filter(lambda v: len(set(v)) > 1)


@given(values=SHARES | OUTCOMES, seed=st.integers(0, 1000))
def test_seeded_bounded_and_blind_to_order(values: list[float], seed: int) -> None:
    found = bca(values, resamples=200, rng=rng(seed))
    assert bca(values, resamples=200, rng=rng(seed)) == found
    assert bca(values[::-1], resamples=200, rng=rng(seed)) == found
    assert min(values) - 1e-12 <= found.low <= found.high <= max(values) + 1e-12


@given(values=SHARES, level=st.sampled_from([0.5, 0.8, 0.95]))
def test_a_higher_level_is_wider(values: list[float], level: float) -> None:
    narrow = percentile(values, resamples=500, level=level, rng=rng())
    wide = percentile(values, resamples=500, level=0.99, rng=rng())
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


@pytest.mark.parametrize("name", SAMPLES)
def test_swapping_model_and_baseline_mirrors_the_interval(name: str) -> None:
    # To Monte-Carlo error: the draws differ. See test_agrees_with_scipy for the size of it.
    values = SAMPLES[name]
    se = values.std(ddof=1) / np.sqrt(len(values))
    found, swapped = bca(values, rng=rng()), bca(1 - values, rng=rng(1))
    assert found.low == pytest.approx(1 - swapped.high, abs=0.2 * se + 1 / len(values))
    assert found.high == pytest.approx(1 - swapped.low, abs=0.2 * se + 1 / len(values))


def test_many_units_in_blocks_of_one() -> None:
    values = rng(6).random(40_000)
    found = bca(values, resamples=200, rng=rng())
    assert found.low < values.mean() < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(40_000), rel=0.2)


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937])
def test_every_unit_is_drawn_equally_often(bits: type) -> None:
    # Whatever the generator's word size. 4,001 resamples of 7 units: 28,007 draws, an odd number of halves
    # in a block; 5 errors of a count of 4,001 are 290.
    drawn = _indices((4_001, 7), np.random.Generator(bits(0)))
    assert drawn.shape == (4_001, 7)
    assert np.bincount(drawn.ravel(), minlength=7) == pytest.approx([4_001] * 7, abs=290)
