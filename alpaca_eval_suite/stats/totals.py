"""Intervals of statistics that are functions of sums over items: kappas, accuracies, confusion matrices.

>>> ratio = lambda totals: totals[..., 0] / totals[..., 1]
>>> items = np.column_stack([np.repeat([0.0, 1.0], 50), np.ones(100)])
>>> found = of_totals(items, ratio, rng=np.random.default_rng(0))
>>> found.value, found.ci.method
(0.5, 'bca')
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.types import Interval

FloatArray = npt.NDArray[np.float64]

Statistic = Callable[[FloatArray], FloatArray]
"""From sums over items (..., K) to the statistic (...), NaN where it is undefined."""

_MOST_UNDEFINED = 0.05  # of the resamples: with more, those left are no fair sample of what could have been


@dataclass(frozen=True)
class Estimate:
    """A statistic of `n` items with its interval; `reason` says why one of them is None, and is empty otherwise."""

    value: float | None
    ci: Interval | None
    n: int
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """{"value", "ci", "n", "reason"}."""
        ci = self.ci.as_json() if self.ci else None
        return {"value": self.value, "ci": ci, "n": self.n, "reason": self.reason}


def resampled_totals(
    features: FloatArray, resamples: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64]]:
    """(sums of resampled items (resamples, K), the distinct rows, how often each occurs).

    Items with the same features are interchangeable, so it is drawn how often each distinct row occurs. The order
    of the items does not matter.
    """
    distinct, counts = np.unique(features, axis=0, return_counts=True)
    n = len(features)
    return rng.multinomial(n, counts / n, size=resamples) @ distinct, distinct, counts


def of_totals(
    features: FloatArray,
    statistic: Statistic,
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    rng: np.random.Generator,
) -> Estimate:
    """`statistic` of the sums of `features` (N, K), one row an item, with its BCa interval over items.

    Efron (1987), with the acceleration by jackknife. No interval is given where all items are alike, where the
    statistic does not vary, or where it is undefined in more than 5 % of the resamples.
    """
    n = len(features)
    if n == 0:
        return Estimate(None, None, 0, "there are no items")
    totals = features.sum(axis=0)
    value = float(statistic(totals))
    if np.isnan(value):
        return Estimate(None, None, n, "undefined: all labels are of one kind")
    sums, distinct, counts = resampled_totals(features, resamples, rng)
    draws = statistic(sums)
    defined = draws[~np.isnan(draws)]
    if len(defined) < (1 - _MOST_UNDEFINED) * resamples:
        return Estimate(value, None, n, f"undefined in {resamples - len(defined)} of {resamples} resamples")
    left_out = statistic(totals - distinct)
    if np.isnan(left_out).any() or np.ptp(defined) < 1e-12:
        return Estimate(value, None, n, "all items are alike: resampling them says nothing of the error")
    return Estimate(value, _bca(value, defined, left_out, counts, level), n)


def _bca(
    value: float, draws: FloatArray, left_out: FloatArray, counts: npt.NDArray[np.int64], level: float
) -> Interval:
    """BCa from the resampled statistics and those without one item of each kind, of which there are `counts`."""
    tolerance = 1e-12 * max(1.0, abs(value))
    below = np.count_nonzero(draws < value - tolerance)
    equal = np.count_nonzero(np.abs(draws - value) <= tolerance)
    share = min(max((below + equal / 2) / len(draws), 0.5 / len(draws)), 1 - 0.5 / len(draws))
    normal = NormalDist()
    bias = normal.inv_cdf(share)
    deviations = np.average(left_out, weights=counts) - left_out
    spread = float((counts * deviations**2).sum())
    acceleration = float((counts * deviations**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0

    def adjusted(probability: float) -> float:
        shifted = bias + normal.inv_cdf(probability)
        return normal.cdf(bias + shifted / (1 - acceleration * shifted))

    tail = (1 - level) / 2
    low, high = np.quantile(draws, [adjusted(tail), adjusted(1 - tail)])
    return Interval(float(low), float(high), level, "bca")
