"""The win rate behind a judge's verdicts, from the errors that it makes on labelled ids.

>>> people, judge = np.repeat([1.0, 0.0], 50), np.repeat([1.0, 0.0, 1.0, 0.0], [40, 10, 10, 40])
>>> others = np.repeat([1.0, 0.0], [250, 250])
>>> round(rogan_gladen(people, judge, others, rng=np.random.default_rng(0)).value, 3)
0.5
"""

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.totals import Estimate, resampled_totals
from alpaca_eval_suite.stats.units import TIE
from alpaca_eval_suite.types import Interval

FloatArray = npt.NDArray[np.float64]

LEAST_SINGULAR = 0.1
"""A confusion matrix with a smaller singular value than this would multiply errors by more than ten."""

_OUTCOMES = np.array([0.0, TIE, 1.0])
_MOST_REFUSED = 0.05


def rogan_gladen(
    labels: FloatArray,
    judged: FloatArray,
    judged_only: FloatArray,
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    rng: np.random.Generator,
) -> Estimate:
    """The win rate that, through the judge's confusion matrix, gives the verdicts seen over all ids.

    `labels` and `judged` are of the labelled ids, `judged_only` of the others; values are wins, of which only the
    side counts (above, at or below 0.5). Rogan and Gladen (1978), "Estimating prevalence from the results of a
    screening test": M·π = q with M[j, h] = P(judge says j | people say h), 3×3 where people say tie, else 2×2 (a
    tie of the judge is then half a win and half a loss); π is cut to shares that are not negative and sum to 1.
    The percentile interval resamples ids with all that belongs to them: labelled ids are among the judged, which
    the textbook variance does not know. None, with the reason, where M is nearly singular or people never gave
    one of the labels.
    """
    sides = _side(labels)
    outcomes = _OUTCOMES if (sides == TIE).any() else _OUTCOMES[[0, 2]]
    features = _features(sides, _said(_side(judged), outcomes), _said(_side(judged_only), outcomes), outcomes)
    n, k = len(features), len(outcomes)
    if n == 0:
        return Estimate(None, None, 0, "there are no ids")
    value = _estimates(features.sum(axis=0)[None], outcomes)
    if np.isnan(value[0]):
        return Estimate(None, None, n, _why(features.sum(axis=0), k))
    draws = _estimates(resampled_totals(features, resamples, rng)[0], outcomes)
    defined = draws[~np.isnan(draws)]
    if len(defined) < (1 - _MOST_REFUSED) * resamples:
        refused = f"the confusion matrix is nearly singular in {resamples - len(defined)} of {resamples} resamples"
        return Estimate(None, None, n, refused)
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    ci = Interval(float(low), float(high), level, f"percentile over ids, {k}×{k}")
    return Estimate(float(value[0]), ci, n)


def _side(wins: FloatArray) -> FloatArray:
    sides: FloatArray = (np.sign(wins - TIE) + 1) / 2
    return sides


def _said(sides: FloatArray, outcomes: FloatArray) -> FloatArray:
    """(ids, k): 1 in the column of what the judge said; with two columns a tie is a half in each."""
    if len(outcomes) == 2:
        return np.column_stack([1 - sides, sides])
    said: FloatArray = (sides[:, None] == outcomes).astype(np.float64)
    return said


def _features(labels: FloatArray, said: FloatArray, said_of_others: FloatArray, outcomes: FloatArray) -> FloatArray:
    """One row an id: its part in each cell of the confusion matrix (0 without a label), and the judge's verdict."""
    k = len(outcomes)
    of_people = (labels[:, None] == outcomes).astype(np.float64)
    cells = (said[:, :, None] * of_people[:, None, :]).reshape(len(labels), k * k)
    of_others = np.column_stack([np.zeros((len(said_of_others), k * k)), said_of_others])
    return np.concatenate([np.column_stack([cells, said]), of_others])


def _estimates(totals: FloatArray, outcomes: FloatArray) -> FloatArray:
    """The win rate from sums of features (B, k² + k), NaN where the matrix is nearly singular or has no column."""
    k = len(outcomes)
    matrix, seen = _matrices(totals, k)
    usable = seen & (_least_singular(np.where(seen[:, None, None], matrix, 0.0)) >= LEAST_SINGULAR)
    said = totals[:, k * k :]
    said = said / said.sum(axis=1, keepdims=True)
    solvable = np.where(usable[:, None, None], matrix, np.eye(k))
    shares = np.maximum(np.linalg.solve(solvable, said[:, :, None])[:, :, 0], 0.0)
    rates = (shares @ outcomes) / shares.sum(axis=1)
    estimates: FloatArray = np.where(usable, rates, np.nan)
    return estimates


def _matrices(totals: FloatArray, k: int) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """The confusion matrices, columns summing to 1, and whether people gave every label."""
    cells = totals[:, : k * k].reshape(-1, k, k)
    of_people = cells.sum(axis=1)
    return cells / np.maximum(of_people, 1.0)[:, None, :], (of_people > 0).all(axis=1)


def _least_singular(matrices: FloatArray) -> FloatArray:
    least: FloatArray = np.linalg.svd(matrices, compute_uv=False)[:, -1].astype(np.float64)
    return least


def _why(totals: FloatArray, k: int) -> str:
    matrix, seen = _matrices(totals[None], k)
    if not seen[0]:
        names = ("loss", "tie", "win") if k == 3 else ("loss", "win")
        never = [
            name for name, count in zip(names, totals[: k * k].reshape(k, k).sum(axis=0), strict=True) if not count
        ]
        return f"people never said {' or '.join(never)}: the judge's errors there are unknown"
    least = float(_least_singular(matrix)[0])
    return f"the confusion matrix is nearly singular (least singular value {least:.2f}, needs {LEAST_SINGULAR})"
