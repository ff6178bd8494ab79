"""The sign-flip test: every pattern by brute force, draws against the exact value, and its symmetries."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test

from alpaca_eval_suite.stats import sign_flip

DIFFERENCES = [-1.0, -0.5, 0.0, 0.25, 0.5, 1.0]


def by_brute_force(differences: list[float]) -> float:
    """The share of sign patterns whose |t| is at least the observed one, t written out."""

    def t(d: np.ndarray) -> float:
        sd = d.std(ddof=1)
        return abs(d.mean()) / sd if sd > 0 else (np.inf if d.mean() else 0.0)

    d = np.array(differences)
    observed = t(d)
    patterns = [t(d * np.array(signs)) for signs in product((1, -1), repeat=len(d))]
    return float(np.mean([value >= observed - 1e-9 for value in patterns]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(DIFFERENCES), min_size=2, max_size=8))
def test_exact_equals_brute_force_on_the_studentised_statistic(differences: list[float]) -> None:
    assert sign_flip(differences).p_value == pytest.approx(by_brute_force(differences), abs=1e-12)


def test_exact_equals_scipy() -> None:
    d = np.array([0.3, -0.1, 0.7, 0.2, 0.9, -0.4, 0.5, 0.6, -0.2, 0.1])
    theirs = permutation_test((d, np.zeros_like(d)), lambda x, y: np.mean(x - y), permutation_type="samples")
    assert sign_flip(d).p_value == pytest.approx(theirs.pvalue, abs=1e-12)
    assert sign_flip(d).name == "studentised sign-flip permutation, two-sided, exact: 1024 patterns"


def test_all_won_by_hand() -> None:
    # Two of the 2^13 patterns are as extreme; at 14 there are more patterns than draws.
    assert sign_flip(np.ones(13)).p_value == 2 / 2**13
    assert sign_flip(np.ones(14)).name == "studentised sign-flip permutation, two-sided, 10000 draws"


def test_all_equal_is_no_difference() -> None:
    assert sign_flip(np.zeros(100)).p_value == 1.0


@pytest.mark.parametrize("scale", [np.ones(18), np.linspace(0.1, 1.0, 18)], ids=["few sizes", "many sizes"])
def test_draws_agree_with_all_patterns(scale: np.ndarray) -> None:
    d = scale * np.where(np.arange(18) < 13, 1, -1)
    exact = sign_flip(d, draws=2**18).p_value
    drawn = sign_flip(d, draws=20_000, rng=1).p_value
    assert drawn == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


def test_a_drawn_p_value_is_never_zero() -> None:
    assert sign_flip(np.ones(500), draws=999).p_value == 1 / 1000


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=40), st.randoms())
def test_turned_or_shuffled_differences_have_the_same_exact_p(d: list[float], random: object) -> None:
    d = d[:10]
    shuffled = list(d)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    p = sign_flip(d).p_value
    assert 0 < p <= 1
    assert sign_flip([-value for value in d]).p_value == pytest.approx(p)
    assert sign_flip(shuffled).p_value == pytest.approx(p)


def test_its_level_is_kept() -> None:
    """Under no difference p <= .05 in 5 % of samples at most (3 standard errors allowed)."""
    rng = np.random.default_rng(3)
    samples = rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], (1000, 60))
    rejected = np.mean([sign_flip(d, draws=400, rng=i).p_value <= 0.05 for i, d in enumerate(samples)])
    assert 0.02 < rejected < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_nothing_to_test() -> None:
    with pytest.raises(ValueError, match="at least one"):
        sign_flip([])
