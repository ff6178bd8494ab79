"""Closed-form intervals: Wilson and Clopper–Pearson for a proportion, Student's t for a mean of shares.

>>> interval = wilson(5, 10)
>>> round(interval.low, 4), round(interval.high, 4)
(0.2366, 0.7634)
"""

from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.types import Interval


def wilson(k: int, n: int, level: float = 0.95) -> Interval:
    """The score interval of a proportion, `k` successes of `n`.

    Wilson (1927), JASA 22. Raises ValueError unless 0 <= k <= n and n > 0.
    """
    _check_counts(k, n)
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = k / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # The end beside a share of 0 or 1 is exactly that; rounding would leave 1e-18 there.
    low = 0.0 if k == 0 else max(0.0, centre - half)
    high = 1.0 if k == n else min(1.0, centre + half)
    return Interval(low, high, level, "wilson")


def clopper_pearson(k: int, n: int, level: float = 0.95) -> Interval:
    """The exact interval of a proportion, `k` successes of `n`: it covers at least `level`, always.

    Clopper and Pearson (1934), Biometrika 26. Raises ValueError unless 0 <= k <= n and n > 0.
    """
    from scipy.special import betaincinv

    _check_counts(k, n)
    tail = (1 - level) / 2
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return Interval(low, high, level, "clopper-pearson")


def t_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval:
    """Student's t interval of the mean of shares in [0, 1], cut at 0 and 1.

    Student (1908), Biometrika 6. Raises ValueError for fewer than two values.
    """
    from scipy.special import stdtrit

    x = np.asarray(values, dtype=np.float64)
    n = len(x)
    if n < 2:
        raise ValueError("a t interval needs at least two values")
    mean = float(x.mean())
    half = float(stdtrit(n - 1, (1 + level) / 2)) * float(x.std(ddof=1)) / sqrt(n)
    return Interval(max(0.0, mean - half), min(1.0, mean + half), level, "t")


def _check_counts(k: int, n: int) -> None:
    if n <= 0 or not 0 <= k <= n:
        raise ValueError(f"{k} successes of {n} is no proportion")
