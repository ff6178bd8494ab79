"""Shares in [0, 1] with their intervals: of successes, and of values counted by id.

>>> rate(9, 10).estimate
0.9
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.betting import betting
from alpaca_eval_suite.stats.bootstrap import bca
from alpaca_eval_suite.stats.intervals import wilson
from alpaca_eval_suite.stats.units import ROUNDING
from alpaca_eval_suite.types import Interval, Rate

FEW = 15
"""With fewer values than this above the mean, or below it, the bootstrap is known to cover too little."""


def rate(successes: int, n: int, n_failed: int = 0, *, level: float = 0.95) -> Rate:
    """The share `successes` of `n` with Wilson's interval; both None when n = 0.

    `n_failed` (not among `n`) is passed on. Raises ValueError unless 0 <= successes <= n.
    """
    if n == 0 and successes == 0:
        return Rate(None, None, 0, n_failed)
    interval = wilson(successes, n, level)
    return Rate(successes / n, interval, n, n_failed)


def mean_rate(
    values: npt.ArrayLike,
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> Rate:
    """The mean of shares in [0, 1], one value an id, NaN where the id failed (counted in `n_failed`).

    The interval is BCa; with fewer than 15 values above or below the mean it is the betting interval, and
    `method` says so. `rng` is a seed or a generator. Raises ValueError for a value outside [0, 1].
    """
    rng = np.random.default_rng(rng)
    given = np.asarray(values, dtype=np.float64)
    x = given[~np.isnan(given)]
    n_failed = len(given) - len(x)
    if len(x) == 0:
        return Rate(None, None, 0, n_failed)
    if x.min() < 0 or x.max() > 1:
        raise ValueError(f"shares must lie in [0, 1], not {x.min()!r} to {x.max()!r}")
    mean = float(x.mean())
    return Rate(mean, _interval(x, mean, resamples, level, rng), len(x), n_failed)


def _interval(
    x: npt.NDArray[np.float64], mean: float, resamples: int, level: float, rng: np.random.Generator
) -> Interval:
    fewer = min(int((x > mean + ROUNDING).sum()), int((x < mean - ROUNDING).sum()))
    if fewer >= FEW:
        return bca(x, resamples=resamples, level=level, rng=rng)
    why = f"{fewer} values on one side of the mean, BCa needs {FEW}"
    fallen_back = betting(x, level, rng=rng)
    return replace(fallen_back, method=f"betting (fall-back: {why})")
