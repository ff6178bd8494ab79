"""The mean of values of which several belong to one item, with an interval that resamples items.

>>> mean_by_item([1.0, 1.0, 0.0, 1.0], ["a", "a", "b", "c"]).value
0.75
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.betting import betting
from alpaca_eval_suite.stats.intervals import wilson
from alpaca_eval_suite.stats.proportion import FEW
from alpaca_eval_suite.stats.totals import Estimate, of_totals
from alpaca_eval_suite.stats.units import ROUNDING
from alpaca_eval_suite.types import Interval

FloatArray = npt.NDArray[np.float64]


def mean_by_item(
    values: npt.ArrayLike,
    items: Sequence[str],
    *,
    span: tuple[float, float] = (0.0, 1.0),
    resamples: int = 10_000,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> Estimate:
    """The mean of `values` (NaN ones are left out), `items[i]` being what `values[i]` belongs to; each lies in `span`.

    The interval is BCa over items, all values of an item together: ten verdicts on one instruction are not ten
    independent ones. With fewer than 15 items above or below the mean it is Wilson's where each item has one yes or
    no, else the betting interval of the items' sums, and `method` says so. `n` counts values. Raises ValueError for a
    value outside `span`.
    """
    given = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(given)
    low, high = span
    x = (given[known] - low) / (high - low)
    if len(x) == 0:
        return Estimate(None, None, 0, "there is nothing to count")
    if x.min() < -ROUNDING or x.max() > 1 + ROUNDING:
        raise ValueError(f"values must lie in [{low:g}, {high:g}]")
    rng = np.random.default_rng(rng)
    numbers = np.unique(np.asarray(items, dtype=object)[known].astype(str), return_inverse=True)[1]
    counts = np.bincount(numbers).astype(np.float64)
    sums = np.bincount(numbers, weights=x.clip(0, 1)).astype(np.float64)
    interval = _interval(sums, counts, resamples, level, rng)
    interval = replace(interval, low=low + (high - low) * interval.low, high=low + (high - low) * interval.high)
    return Estimate(float(given[known].mean()), interval, len(x))


def _interval(sums: FloatArray, counts: FloatArray, resamples: int, level: float, rng: np.random.Generator) -> Interval:
    mean = float(sums.sum() / counts.sum())
    of_items = sums / counts
    fewer = min(int((of_items > mean + ROUNDING).sum()), int((of_items < mean - ROUNDING).sum()))
    if fewer >= FEW:
        features = np.column_stack([sums, counts])
        found = of_totals(features, lambda t: t[..., 0] / t[..., 1], resamples=resamples, level=level, rng=rng)
        if found.ci is not None:
            return found.ci
    why = f"{fewer} items on one side of the mean, BCa needs {FEW}"
    if counts.max() == 1 and np.isin(sums, (0.0, 1.0)).all():
        by_wilson = wilson(int(sums.sum()), len(sums), level)
        return replace(by_wilson, method=f"wilson (fall-back: {why})")
    # An item's sum over the mean number of values an item: its mean over items is the mean of the values.
    scaled = sums / counts.mean()
    most = float(counts.max() / counts.mean())
    found_by_bets = betting((scaled / most).clip(0, 1), level, rng=rng)
    return replace(
        found_by_bets,
        low=found_by_bets.low * most,
        high=min(1.0, found_by_bets.high * most),
        method=f"betting (fall-back: {why})",
    )
