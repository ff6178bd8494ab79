"""Rogan and Gladen's correction by hand, its refusals, and its interval when labels are among the judged."""

import numpy as np
import pytest

from alpaca_eval_suite.stats.rogan_gladen import rogan_gladen
from alpaca_eval_suite.stats.totals import Estimate


def found(labels: list[float], judged: list[float], others: list[float], resamples: int = 1000) -> Estimate:
    arrays = (np.array(values, dtype=np.float64) for values in (labels, judged, others))
    return rogan_gladen(*arrays, resamples=resamples, rng=np.random.default_rng(0))


def test_the_textbook_formula_for_two_outcomes() -> None:
    # Sensitivity 45/50, specificity 40/50; the judge says win in 55 of 100 + 245 of 400 = 300 of 500.
    result = found([1] * 50 + [0] * 50, [1] * 45 + [0] * 5 + [1] * 10 + [0] * 40, [1] * 245 + [0] * 155)
    assert result.value == pytest.approx((300 / 500 + 0.8 - 1) / (0.9 + 0.8 - 1), abs=1e-12)
    assert result.ci is not None
    assert result.ci.method == "percentile over ids, 2×2"
    assert result.ci.low < 4 / 7 < result.ci.high


def test_three_outcomes_by_hand() -> None:
    # People: 40 losses, 20 ties, 40 wins. The judge is right in 3 of 4 and else says the next outcome.
    labels = [0.0] * 40 + [0.5] * 20 + [1.0] * 40
    judged = [0.0] * 30 + [0.5] * 10 + [0.5] * 15 + [1.0] * 5 + [1.0] * 30 + [0.0] * 10
    truth = np.array([0.5, 0.2, 0.3])
    matrix = np.array([[0.75, 0, 0.25], [0.25, 0.75, 0], [0, 0.25, 0.75]])
    # Other ids so that the judge's shares over all 1,100 are those of the truth.
    wanted = np.round(matrix @ truth * 1100).astype(int) - [40, 25, 35]
    others = [0.0] * wanted[0] + [0.5] * wanted[1] + [1.0] * wanted[2]
    result = found(labels, judged, others)
    assert result.value == pytest.approx(0.2 / 2 + 0.3, abs=0.002)
    assert result.ci is not None
    assert result.ci.method == "percentile over ids, 3×3"


def test_a_perfect_judge_needs_no_correction() -> None:
    result = found([1, 0] * 50, [1, 0] * 50, [1] * 30 + [0] * 70)
    assert result.value == pytest.approx(80 / 200)


def test_a_tie_of_the_judge_is_half_a_win_where_people_know_none() -> None:
    # E[judge | win] = .8, E[judge | loss] = .2, over all: .5.
    result = found([1] * 50 + [0] * 50, ([1] * 3 + [0.5] * 2) * 10 + ([0] * 3 + [0.5] * 2) * 10, [0.5] * 300)
    assert result.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("labels", "judged", "problem"),
    [
        ([1, 0] * 50, [1] * 100, "nearly singular"),
        ([1, 0] * 50, [1, 1, 0, 0] * 25, "nearly singular"),
        ([1] * 100, [1, 0] * 50, "people never said loss"),
        ([1] * 50 + [0.5] * 50, [1, 0] * 50, "people never said loss"),
        ([1, 0] * 45 + [0.5] * 10, [1, 0] * 50, "nearly singular"),
    ],
)
def test_refused(labels: list[float], judged: list[float], problem: str) -> None:
    result = found(labels, judged, [1, 0] * 100)
    assert (result.value, result.ci) == (None, None)
    assert problem in result.reason


def test_a_matrix_that_is_often_singular_has_no_estimate() -> None:
    result = found([1] * 3 + [0] * 97, [1, 1, 0] + [1] * 30 + [0] * 67, [1, 0] * 100)
    assert result.value is None
    assert "of 1000 resamples" in result.reason


def test_the_interval_covers_when_the_labels_are_among_the_judged() -> None:
    rng = np.random.default_rng(0)
    covered, draws = 0, 400
    for _ in range(draws):
        truth = (rng.random(400) < 0.4).astype(float)
        judge = np.where(rng.random(400) < 0.85, truth, 1 - truth)
        ci = rogan_gladen(truth[:120], judge[:120], judge[120:], resamples=500, rng=rng).ci
        assert ci is not None
        covered += ci.low <= 0.4 <= ci.high
    assert 0.92 <= covered / draws <= 0.98
