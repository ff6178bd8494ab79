"""Prediction-powered inference of a mean: many judged ids, few of them labelled by people.

>>> found = ppi_mean(np.array([1.0, 0.0, 1.0, 1.0]), np.array([1.0, 0.0, 1.0, 0.0]), np.array([1.0, 0.0] * 50))
>>> round(found.estimate, 2), round(found.tuning, 2)
(0.75, 0.48)
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.types import Interval

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PpiMean:
    """The estimated mean of the labels, its standard error and interval; `tuning` is λ, the judge's weight."""

    estimate: float
    se: float
    ci: Interval
    tuning: float


def ppi_mean(labels: FloatArray, judged: FloatArray, judged_only: FloatArray, level: float = 0.95) -> PpiMean:
    """λ·mean(judged_only) + mean(labels − λ·judged): the judge's mean, corrected by what it got wrong.

    `labels` and `judged` are of the same n ids, `judged_only` of the N others (none of the labelled among them).
    PPI++ of Angelopoulos, Duchi and Zrnic (2023), section 6, with λ = cov(labels, judged) / ((1 + n/N)·var(judged))
    cut to [0, 1]. The variances have ddof 1 and the quantile is Student's with n − 1 degrees of freedom, since n is
    small here; the interval is cut at 0 and 1. Raises ValueError with fewer than two labels or two other ids.
    """
    from scipy.special import stdtrit

    n, others = len(labels), len(judged_only)
    if n < 2 or others < 2:
        raise ValueError(f"needs at least 2 labelled and 2 other ids, not {n} and {others}")
    tuning = tuned(labels, judged, judged_only)
    rectifier = labels - tuning * judged
    estimate = tuning * float(judged_only.mean()) + float(rectifier.mean())
    variance = tuning**2 * float(judged_only.var(ddof=1)) / others + float(rectifier.var(ddof=1)) / n
    se = sqrt(variance)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * se
    ci = Interval(max(0.0, estimate - half), min(1.0, estimate + half), level, "ppi++ (t)")
    return PpiMean(min(1.0, max(0.0, estimate)), se, ci, tuning)


def tuned(labels: FloatArray, judged: FloatArray, judged_only: FloatArray) -> float:
    """The λ in [0, 1] with the least variance; 0 where the judge's verdicts do not vary."""
    variance = float(np.concatenate([judged, judged_only]).var(ddof=1))
    if variance <= 0:
        return 0.0
    covariance = float(((labels - labels.mean()) * (judged - judged.mean())).mean())
    return min(1.0, max(0.0, covariance / ((1 + len(labels) / len(judged_only)) * variance)))
