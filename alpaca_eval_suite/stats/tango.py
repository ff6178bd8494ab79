"""Tango's score interval for the difference of two paired proportions: a win rate with ties.

>>> interval = tango(6, 139, 16)  # Cavo et al. (2012)
>>> round(interval.low, 4), round(interval.high, 4)
(-0.124, -0.0054)
"""

from math import inf, sqrt
from statistics import NormalDist

from alpaca_eval_suite.types import Interval

_HALVINGS = 60  # to the last bit of a double on [-1, 1]


def tango(wins: int, ties: int, losses: int, level: float = 0.95) -> Interval:
    """The interval of p_win - p_loss, in [-1, 1]; ties are the concordant pairs.

    The differences d whose score statistic (Tango 1998, Statistics in Medicine 17, eq. 8 to 10) is within
    the normal quantile. The win rate is 1/2 + (p_win - p_loss)/2. Raises ValueError for negative counts or
    none at all.
    """
    n = wins + ties + losses
    if min(wins, ties, losses) < 0 or n == 0:
        raise ValueError(f"{wins} wins, {ties} ties and {losses} losses are no counts of units")
    z = NormalDist().inv_cdf((1 + level) / 2)
    # The lower end mirrors the upper end of the swapped pair, so that swapping mirrors the interval exactly.
    return Interval(-_upper(losses, wins, n, z), _upper(wins, losses, n, z), level, "tango")


def _upper(b: int, c: int, n: int, z: float) -> float:
    """The largest d with score statistic at least -z; the statistic falls as d grows."""
    if b == n:
        return 1.0
    low, high = (b - c) / n, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _score(middle, b, c, n) >= -z:
            low = middle
        else:
            high = middle
    return low


def _score(d: float, b: int, c: int, n: int) -> float:
    """(b - c - n·d) over its standard error, with P(loss) at its maximum likelihood value q given d."""
    linear = -b - c + (2 * n - b + c) * d
    constant = -c * d * (1 - d)
    q = (sqrt(linear**2 - 8 * n * constant) - linear) / (4 * n)
    variance = n * (2 * q + d * (1 - d))
    difference = b - c - n * d
    if variance <= 0:
        return 0.0 if difference == 0 else (inf if difference > 0 else -inf)
    return difference / sqrt(variance)
