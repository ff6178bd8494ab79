"""The win rate that people would give, from a judge's verdicts on all ids and people's labels on a sample of them.

>>> verdicts = Units(tuple(f"{n:03}" for n in range(200)), np.tile([1.0, 0.0, 1.0, 1.0], 50))
>>> labels = Units(verdicts.ids[:40], np.tile([1.0, 0.0, 0.0, 1.0], 10))  # drawn at random, in earnest
>>> found = calibrate(verdicts, labels)
>>> found.naive.value, round(found.ppi.value, 2), found.labels_saved
(0.75, 0.5, 15)
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats.ppi import ppi_mean
from alpaca_eval_suite.stats.proportion import mean_rate
from alpaca_eval_suite.stats.rogan_gladen import rogan_gladen
from alpaca_eval_suite.stats.sample import check_labelled
from alpaca_eval_suite.stats.totals import Estimate
from alpaca_eval_suite.stats.units import TIE, Units
from alpaca_eval_suite.stats.win_rate import win_interval
from alpaca_eval_suite.types import Rate

FloatArray = npt.NDArray[np.float64]

FEW_LABELS = 10
"""With fewer wins or fewer losses than this among the labels the interval of PPI++ is known to cover too little."""

_LEAST = 2  # labels: one has no spread


@dataclass(frozen=True)
class Calibrated:
    """What the judge says (`naive`), what the labels alone say (`people`), and the two corrections.

    The judge's `n_failed` failures count 0.5 in all of them. `tuning` is the judge's weight λ, `labels_saved` how
    many more labels would give the same standard error without the judge. `judge_accuracy` is the share of labelled
    ids on which judge and people are on the same side, failures counted wrong.
    """

    n_judged: int
    n_failed: int
    n_labelled: int
    judge_accuracy: Rate
    naive: Estimate
    people: Estimate
    ppi: Estimate
    rogan_gladen: Estimate
    tuning: float
    labels_saved: int

    def as_json(self) -> dict[str, Any]:
        """The public form; rates are fractions."""
        accuracy = self.judge_accuracy.as_json()
        return {
            "n_judged": self.n_judged,
            "n_failed": self.n_failed,
            "n_labelled": self.n_labelled,
            "judge_accuracy": accuracy["value"],
            "judge_accuracy_ci": accuracy["ci"],
            "naive": _as_json(self.naive),
            "people": _as_json(self.people),
            "ppi": {**_as_json(self.ppi), "lambda": self.tuning},
            "rogan_gladen": _as_json(self.rogan_gladen),
            "labels_saved": self.labels_saved,
        }


def calibrate(
    verdicts: Units,
    labels: Units,
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> Calibrated:
    """The judge's win rate over `verdicts`, corrected by people's `labels`, a random sample of the same ids.

    A label that is NaN is no label. Whether the labels are a random sample is `check_labelled`'s affair.
    Raises SuiteError naming labelled ids that were not judged, and for fewer than two labels.
    """
    rng = np.random.default_rng(rng)
    of_people = {id_: value for id_, value in zip(labels.ids, labels.values.tolist(), strict=True) if value == value}
    check_labelled(of_people, verdicts.ids, None)
    if len(of_people) < _LEAST:
        raise SuiteError(
            f"labelled ids: {len(of_people)}, which says too little of the judge's errors",
            next_step="Label more; 100 are a good beginning.",
        )
    valid = ~np.isnan(verdicts.values)
    imputed = np.where(valid, verdicts.values, TIE)
    labelled = np.array([id_ in of_people for id_ in verdicts.ids])
    truth = np.array([of_people[id_] for id_ in verdicts.ids if id_ in of_people])
    judged, judged_only = imputed[labelled], imputed[~labelled]

    def mean(values: FloatArray) -> Estimate:
        ci = win_interval(values, method="auto", resamples=resamples, level=level, rng=rng)
        return Estimate(float(values.mean()), ci, len(values))

    people = mean(truth)
    ppi, tuning, saved = _ppi(truth, judged, judged_only, people, level)
    right = (np.sign(judged - TIE) == np.sign(truth - TIE)) & valid[labelled]
    return Calibrated(
        n_judged=len(verdicts.ids),
        n_failed=verdicts.n_failed,
        n_labelled=len(truth),
        judge_accuracy=mean_rate(right.astype(np.float64), resamples=resamples, level=level, rng=rng),
        naive=mean(imputed),
        people=people,
        ppi=ppi,
        rogan_gladen=rogan_gladen(truth, judged, judged_only, resamples=resamples, level=level, rng=rng),
        tuning=tuning,
        labels_saved=saved,
    )


def _ppi(
    truth: FloatArray, judged: FloatArray, judged_only: FloatArray, people: Estimate, level: float
) -> tuple[Estimate, float, int]:
    """The estimate, λ, and the labels saved; where PPI++ is known to fail, the labels alone."""
    reason = _why_not(truth, judged_only)
    if reason or people.ci is None:
        ci = people.ci and replace(people.ci, method=f"labels alone, {people.ci.method}")
        return Estimate(people.value, ci, people.n, reason), 0.0, 0
    found = ppi_mean(truth, judged, judged_only, level)
    # Labels that would give the same standard error without a judge, less those there are.
    needed = float(truth.var(ddof=1)) / found.se**2
    estimate = Estimate(found.estimate, found.ci, len(judged) + len(judged_only))
    return estimate, found.tuning, max(0, round(needed - len(truth)))


def _why_not(truth: FloatArray, judged_only: FloatArray) -> str:
    if len(judged_only) < 2:
        return "every judged id is labelled: the judge adds nothing"
    wins, losses = int((truth > TIE).sum()), int((truth < TIE).sum())
    if min(wins, losses) < FEW_LABELS:
        return f"{wins} wins and {losses} losses among the labels, PPI++ needs {FEW_LABELS} of each"
    return ""


def _as_json(estimate: Estimate) -> dict[str, Any]:
    return {
        "win_rate": estimate.value,
        "ci": estimate.ci.as_json() if estimate.ci else None,
        "reason": estimate.reason,
    }
