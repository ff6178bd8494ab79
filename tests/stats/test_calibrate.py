"""Calibration: known judges, failures, fall-backs, and coverage by simulation."""

import numpy as np
import pytest

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats.calibrate import calibrate
from alpaca_eval_suite.stats.units import Units

IDS = tuple(f"{n:04}" for n in range(800))


def simulated(
    rng: np.random.Generator, n_ids: int, n_labelled: int, rate: float = 0.3, right: float = 0.8
) -> tuple[Units, Units]:
    """A judge who is right in `right` of the ids and says win wherever it is wrong."""
    truth = (rng.random(n_ids) < rate).astype(float)
    judge = np.where(rng.random(n_ids) < right, truth, 1.0)
    return Units(IDS[:n_ids], judge), Units(IDS[:n_labelled], truth[:n_labelled])


def test_a_biased_judge_is_corrected() -> None:
    found = calibrate(*simulated(np.random.default_rng(0), 800, 200), resamples=1000)
    assert found.naive.ci is not None
    assert found.naive.ci.low > 0.35  # the truth is .3, but the judge adds .14
    for corrected in (found.ppi, found.rogan_gladen):
        assert corrected.ci is not None
        assert corrected.ci.low < 0.3 < corrected.ci.high
    assert found.judge_accuracy.estimate == pytest.approx(0.86, abs=0.05)
    assert 0 < found.tuning < 1
    assert found.ppi.ci is not None
    assert found.people.ci is not None
    assert found.ppi.ci.high - found.ppi.ci.low < found.people.ci.high - found.people.ci.low
    assert found.labels_saved > 20


def test_labels_saved_by_a_judge_who_guesses() -> None:
    rng = np.random.default_rng(1)
    _, labels = simulated(rng, 800, 200)
    guesses = Units(IDS, (rng.random(800) < 0.5).astype(float))
    found = calibrate(guesses, labels, resamples=500)
    assert found.labels_saved < 10
    assert found.rogan_gladen.value is None


def test_failures_count_a_half_and_are_counted() -> None:
    verdicts, labels = simulated(np.random.default_rng(2), 400, 100)
    failed = verdicts.values.copy()
    failed[::8] = np.nan
    found = calibrate(Units(verdicts.ids, failed), labels, resamples=500)
    imputed = calibrate(Units(verdicts.ids, np.where(np.isnan(failed), 0.5, failed)), labels, resamples=500)
    assert (found.n_judged, found.n_failed, found.n_labelled) == (400, 50, 100)
    assert found.ppi == imputed.ppi
    assert found.rogan_gladen == imputed.rogan_gladen
    assert found.judge_accuracy.estimate is not None
    assert imputed.judge_accuracy.estimate == found.judge_accuracy.estimate


def test_a_failed_label_is_no_label() -> None:
    verdicts, labels = simulated(np.random.default_rng(3), 400, 100)
    holes = labels.values.copy()
    holes[:5] = np.nan
    assert calibrate(verdicts, Units(labels.ids, holes), resamples=500).n_labelled == 95


def test_few_wins_among_the_labels_fall_back_to_the_labels() -> None:
    found = calibrate(*simulated(np.random.default_rng(4), 400, 50, rate=0.05), resamples=500)
    assert found.ppi.value == found.people.value
    assert found.ppi.ci is not None
    assert found.ppi.ci.method.startswith("labels alone, wilson")
    assert "PPI++ needs 10 of each" in found.ppi.reason
    assert (found.tuning, found.labels_saved) == (0.0, 0)


def test_two_labels_are_enough_for_an_honest_interval() -> None:
    verdicts, _ = simulated(np.random.default_rng(6), 100, 50)
    found = calibrate(verdicts, Units(IDS[:2], np.array([1.0, 0.0])), resamples=200)
    assert found.ppi.ci is not None
    assert found.ppi.ci.high - found.ppi.ci.low > 0.5


def test_everything_labelled() -> None:
    verdicts, _ = simulated(np.random.default_rng(5), 100, 10)
    truth = Units(verdicts.ids, np.tile([1.0, 0.0], 50))
    found = calibrate(verdicts, truth, resamples=500)
    assert found.ppi.value == 0.5
    assert found.ppi.reason == "every judged id is labelled: the judge adds nothing"


def test_refused() -> None:
    verdicts, labels = simulated(np.random.default_rng(6), 100, 50)
    with pytest.raises(SuiteError, match="labelled ids: 1, which says too little"):
        calibrate(verdicts, Units(labels.ids[:1], labels.values[:1]))
    with pytest.raises(SuiteError, match="labelled ids that were not judged: 0020, 0021"):
        calibrate(Units(verdicts.ids[:20], verdicts.values[:20]), labels)


@pytest.mark.parametrize(("n_ids", "n_labelled"), [(252, 50), (252, 200), (800, 100)])
@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_coverage(n_ids: int, n_labelled: int, rate: float) -> None:
    """Nominal .95, 400 draws: seen between .92 and 1 (a standard error of the simulation is .011)."""
    rng = np.random.default_rng(7)
    draws = 400
    covered = naive = 0
    for _ in range(draws):
        found = calibrate(*simulated(rng, n_ids, n_labelled, rate=rate), resamples=200, rng=rng)
        assert found.ppi.ci is not None
        assert found.naive.ci is not None
        covered += found.ppi.ci.low <= rate <= found.ppi.ci.high
        naive += found.naive.ci.low <= rate <= found.naive.ci.high
    assert covered / draws >= 0.92
    assert naive / draws < 0.2
