"""The betting interval of a mean of values in [0, 1]: valid at any n and for any distribution.

>>> interval = betting([0.25, 0.75] * 50)
>>> interval.low < 0.5 < interval.high
True
"""

from math import log

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.types import Interval

FloatArray = npt.NDArray[np.float64]

_TRUNCATION = 0.5  # c in the paper's eq. 26
_SHUFFLES = 8
_HALVINGS = 50
_NOTHING = 1e-12  # a mean below this is 0: bisecting towards it would divide by zero


def betting(values: npt.ArrayLike, level: float = 0.95, *, rng: np.random.Generator | None = None) -> Interval:
    """The hedged capital interval of the mean of `values`, seen as independent draws from one distribution.

    Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting", JRSS B 86,
    theorem 3 with the predictable plug-in bets for a fixed n. The capital is averaged over a few shuffles of
    the sorted values (a mean of e-values is an e-value), so that the order of `values` does not matter and
    little is left to chance; each shuffle is also run from the other end, so that the interval of
    1 - `values` is the mirror image. `rng` draws the shuffles (default: seed 0).
    Raises ValueError when there are no values or one lies outside [0, 1].
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    if len(x) == 0 or not (x[0] >= 0 and x[-1] <= 1):
        raise ValueError("a betting interval needs values in [0, 1], at least one")
    rng = rng or np.random.default_rng(0)
    shuffles = np.array([rng.permutation(len(x)) for _ in range(_SHUFFLES)])
    both_ends = np.concatenate([x[shuffles], x[::-1][shuffles]])
    low = _lower(both_ends, level)
    high = 1 - _lower(1 - both_ends, level)
    return Interval(low, high, level, "betting")


def _lower(x: FloatArray, level: float) -> float:
    """The largest m that the bets on a higher mean refute, by bisection; x is (shuffles, n)."""
    alpha = 1 - level
    bets = _bets(x, alpha)
    low, high = 0.0, float(x.mean())
    if high < _NOTHING:
        return 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # Every factor falls as m grows (the truncation bets c/m), so the capital does: one crossing.
        capital = np.log1p(np.minimum(bets, _TRUNCATION / middle) * (x - middle)).sum(axis=1)
        # Half of the money is on each side (hedge 1/2), hence 2/alpha.
        if np.logaddexp.reduce(capital) - log(len(x)) >= log(2 / alpha):
            low = middle
        else:
            high = middle
    return low


def _bets(x: FloatArray, alpha: float) -> FloatArray:
    """The predictable plug-in bets of eq. 26 for a fixed n, before truncation."""
    n = x.shape[1]
    seen = np.arange(1, n + 1)
    means = (0.5 + np.cumsum(x, axis=1)) / (seen + 1)
    variances = (0.25 + np.cumsum((x - means) ** 2, axis=1)) / (seen + 1)
    before = np.concatenate([np.full((len(x), 1), 0.25), variances[:, :-1]], axis=1)
    bets: FloatArray = np.sqrt(2 * log(2 / alpha) / (n * before))
    return bets
