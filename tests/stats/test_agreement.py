"""Agreement: worked examples, the libraries that compute the same, and what has no value."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.stats.agreement import Agreement, agreement
from alpaca_eval_suite.stats.kappa import (
    cohen,
    cohen_features,
    fleiss,
    fleiss_features,
    krippendorff,
    krippendorff_features,
    label_counts,
)
from alpaca_eval_suite.stats.ratings import Ratings, read_ratings

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "human" / "pandalm_999.jsonl"
NAN = np.nan
# Ten items, three raters, two labels missing.
LABELS = np.array(
    [[1, 1, NAN], [2, 2, 1], [0, 0, 0], [1, 2, 2], [2, 2, 2], [1, 1, 1], [0, 1, NAN], [2, 2, 2], [1, 1, 1], [2, 0, 2]]
)
COMPLETE = LABELS[[1, 2, 3, 4, 5, 7, 8, 9]]


def ratings(labels: np.ndarray, judges: dict[str, list[int | None]] | None = None) -> Ratings:
    people = {
        f"{item:03}": {f"r{rater}": int(label) for rater, label in enumerate(row) if not np.isnan(label)}
        for item, row in enumerate(labels)
    }
    of_judges = {name: {f"{item:03}": label for item, label in enumerate(row)} for name, row in (judges or {}).items()}
    return Ratings.of(people, of_judges)


def found(labels: np.ndarray, judges: dict[str, list[int | None]] | None = None) -> Agreement:
    return agreement(ratings(labels, judges), resamples=1000)


def test_krippendorff_is_what_the_krippendorff_package_gives() -> None:
    """krippendorff 0.9.0: alpha(reliability_data=LABELS.T, level_of_measurement="nominal")."""
    assert found(LABELS).krippendorff_alpha.value == pytest.approx(0.5627530364372471, abs=1e-12)


def test_fleiss_is_what_statsmodels_gives() -> None:
    """statsmodels 0.15.0: fleiss_kappa(aggregate_raters(COMPLETE)[0])."""
    assert found(COMPLETE).fleiss_kappa.value == pytest.approx(0.5909090909090908, abs=1e-12)


def test_cohen_by_hand() -> None:
    # 20 and 15 of 50 on the diagonal; expected (25·30 + 25·20)/50² = .5: the worked example of Wikipedia's article.
    first = np.repeat([1.0, 1.0, 2.0, 2.0], [20, 5, 10, 15])
    second = np.repeat([1.0, 2.0, 1.0, 2.0], [20, 5, 10, 15])
    assert found(np.column_stack([first, second])).cohen_kappa.value == pytest.approx(0.4, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000), items=st.integers(4, 40), raters=st.integers(2, 5))
def test_live_against_the_libraries(seed: int, items: int, raters: int) -> None:
    package = pytest.importorskip("krippendorff")
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, size=(items, raters)).astype(float)
    labels[:3, :2] = [[0, 0], [1, 1], [2, 2]]  # every label occurs, so that nothing is undefined
    counts = label_counts(labels)
    assert float(fleiss(fleiss_features(counts).sum(axis=0))) == pytest.approx(
        inter_rater.fleiss_kappa(counts), abs=1e-9
    )
    table = cohen_features(labels[:, 0], labels[:, 1]).sum(axis=0)
    assert float(cohen(table)) == pytest.approx(inter_rater.cohens_kappa(table.reshape(3, 3)).kappa, abs=1e-9)
    labels[rng.random(labels.shape) < 0.2] = NAN
    labels[:3, :2] = [[0, 0], [1, 1], [2, 2]]
    counts = label_counts(labels)
    pairable = counts[counts.sum(axis=1) >= 2]
    assert float(krippendorff(krippendorff_features(pairable).sum(axis=0))) == pytest.approx(
        package.alpha(reliability_data=labels.T, level_of_measurement="nominal"), abs=1e-9
    )


def test_unequal_raters_have_no_fleiss() -> None:
    result = found(LABELS).fleiss_kappa
    assert (result.value, result.reason) == (None, "needs equally many raters an item, not 2, 3")


def test_more_than_two_raters_have_no_cohen() -> None:
    assert found(COMPLETE).cohen_kappa.reason == "needs two raters, not 3"


def test_one_label_throughout_leaves_kappa_undefined() -> None:
    result = found(np.ones((40, 3)))
    assert result.percent_agreement.estimate == 1.0
    assert result.percent_agreement.interval is not None
    assert result.percent_agreement.interval.low < 1.0
    for kappa in (result.fleiss_kappa, result.krippendorff_alpha):
        assert (kappa.value, kappa.reason) == (None, "undefined: all labels are of one kind")


def test_full_agreement_has_a_value_without_interval() -> None:
    result = found(np.repeat([[1.0, 1.0], [2.0, 2.0]], 20, axis=0))
    assert (result.cohen_kappa.value, result.cohen_kappa.ci) == (1.0, None)
    assert "alike" in result.cohen_kappa.reason


def test_leave_one_out_by_hand() -> None:
    # The others of r0 say (1, 1), (1, 2), (2, 2): r0 says 1, 1, 1. Full, half of a split, none.
    result = found(np.array([[1, 1, 1], [1, 1, 2], [1, 2, 2]], dtype=float))
    assert result.raters["r0"].estimate == pytest.approx(1.5 / 3)
    # r1: others (1, 1), (1, 2), (1, 2); r2: others (1, 1), (1, 1), (1, 2).
    assert result.raters["r1"].estimate == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert result.raters["r2"].estimate == pytest.approx((1 + 0 + 0.5) / 3)
    assert result.ceiling.estimate == pytest.approx((1.5 + 2 + 1.5) / 9)
    assert "3 raters" in result.note


def test_judge_with_failures_and_items_without_majority() -> None:
    labels = np.array([[1, 1, 1], [2, 2, 1], [0, 1, 2], [2, 2, 2], [1, 1, 0]], dtype=float)
    result = found(labels, {"j": [1, None, 1, 2, 2]})
    assert result.n_no_majority == 1
    judge = result.judges["j"]
    assert (judge.accuracy_all.estimate, judge.accuracy_all.n) == (0.5, 4)
    assert judge.accuracy_valid.estimate == pytest.approx(2 / 3)
    assert judge.accuracy_valid.n_failed == 1
    assert judge.as_json()["accuracy_all"] == 0.5
    # The majorities are 1, 2, 2, 1: always the first is right in half, and so is a coin.
    assert (result.controls["always_first"], result.controls["coin"]) == (0.5, 0.5)
    assert judge.informative is False


def test_a_judge_above_the_controls_is_informative() -> None:
    labels = np.repeat([[1.0, 1.0], [2.0, 2.0]], 100, axis=0)
    good: list[int | None] = [1] * 90 + [2] * 10 + [2] * 90 + [1] * 10
    result = found(labels, {"good": good, "first": [1] * 200})
    assert result.judges["good"].informative is True
    assert result.judges["first"].informative is False
    assert result.judges["good"].cohen_kappa.value == pytest.approx(0.8)


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_file(), reason=f"the reference data {DATA} is not there")
def test_pandalm_as_published() -> None:
    result = agreement(read_ratings(DATA))
    assert (result.n_items, result.n_raters, result.n_no_majority) == (999, 3, 0)
    assert result.percent_agreement.estimate == pytest.approx(0.920, abs=0.0005)
    gpt, panda = result.judges["gpt35_turbo"], result.judges["pandalm_7b"]
    assert gpt.accuracy_all.estimate == 697 / 999
    assert gpt.accuracy_valid.estimate == pytest.approx(697 / 974)
    assert gpt.accuracy_valid.n_failed == 25
    assert panda.accuracy_all.estimate == pytest.approx(667 / 999)
    assert gpt.informative
    assert panda.informative
    for statistic in (result.fleiss_kappa, result.krippendorff_alpha, gpt.cohen_kappa):
        assert statistic.value is not None
        assert statistic.ci is not None
        assert statistic.ci.low < statistic.value < statistic.ci.high
