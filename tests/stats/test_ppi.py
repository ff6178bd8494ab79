"""PPI++ of a mean against ppi_py, and what it reduces to at its ends."""

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.stats.ppi import ppi_mean, tuned

LABELS = np.array([1, 0, 1, 1, 0, 0.5, 1, 0, 0, 1, 1, 0, 0.5, 0, 1, 0, 0, 1, 1, 0])
JUDGED = np.array([1, 0, 1, 0, 0, 0.5, 1, 1, 0, 1, 0.5, 0, 0, 0, 1, 0, 1, 1, 1, 0])
OTHERS = np.repeat([1.0, 0.5, 0.0], [35, 10, 45])


def test_it_is_what_ppi_py_gives() -> None:
    """ppi_py 0.2.3: ppi_mean_pointestimate and ppi_mean_ci of these arrays. Its interval is normal with ddof 0."""
    found = ppi_mean(LABELS, JUDGED, OTHERS)
    assert found.estimate == pytest.approx(0.47193352, abs=5e-9)
    lam = found.tuning
    se = sqrt(lam**2 * OTHERS.var() / len(OTHERS) + (LABELS - lam * JUDGED).var() / len(LABELS))
    half = NormalDist().inv_cdf(0.975) * se
    assert found.estimate - half == pytest.approx(0.2988759, abs=5e-8)
    assert found.estimate + half == pytest.approx(0.64499114, abs=5e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 100_000), n=st.integers(10, 60), others=st.integers(20, 200))
def test_live_against_ppi_py(seed: int, n: int, others: int) -> None:
    package = pytest.importorskip("ppi_py")
    rng = np.random.default_rng(seed)
    labels, judged = rng.random(n), rng.random(n)
    judged = np.where(rng.random(n) < 0.6, labels, judged)
    judged_only = rng.random(others)
    found = ppi_mean(labels, judged, judged_only)
    theirs = float(np.ravel(package.ppi_mean_pointestimate(labels, judged, judged_only))[0])
    assert found.estimate == pytest.approx(theirs, abs=1e-9)


def test_a_judge_who_never_varies_weighs_nothing() -> None:
    found = ppi_mean(LABELS, np.full(20, 0.5), np.full(90, 0.5))
    assert (found.tuning, found.estimate) == (0.0, pytest.approx(LABELS.mean()))
    assert found.se == pytest.approx(float(LABELS.std(ddof=1)) / sqrt(20))


def test_a_judge_who_says_the_opposite_weighs_nothing() -> None:
    assert tuned(LABELS, 1 - LABELS, OTHERS) == 0.0


def test_a_perfect_judge_gives_the_mean_of_all() -> None:
    found = ppi_mean(LABELS, LABELS, OTHERS)
    weight = 90 / 110  # λ is about N/(n + N), cut by what differs between the two samples
    assert found.tuning == pytest.approx(weight, abs=0.05)
    assert found.estimate == pytest.approx(np.concatenate([LABELS, OTHERS]).mean(), abs=0.005)


def test_too_little_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 labelled"):
        ppi_mean(LABELS[:1], JUDGED[:1], OTHERS)
    with pytest.raises(ValueError, match="2 other ids"):
        ppi_mean(LABELS, JUDGED, OTHERS[:1])
