"""Bootstrap intervals of a mean: BCa (Efron 1987) and percentile.

>>> bca(np.repeat([0.0, 1.0], 50), rng=np.random.default_rng(0)).method
'bca'
"""

from math import fsum
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.types import Interval

FloatArray = npt.NDArray[np.float64]

# Up to so many different values, drawing how often each occurs is faster than drawing n of them.
_FEW = 16
# Draws a block: its arrays stay in the processor's cache, and are too small to be mapped from the system
# anew each time (128 KiB in glibc), which would cost as much as the drawing.
_BLOCK = 16_000


def bca(values: npt.ArrayLike, *, resamples: int = 10_000, level: float = 0.95, rng: np.random.Generator) -> Interval:
    """The bias-corrected and accelerated bootstrap interval of the mean of `values`.

    Efron (1987), "Better bootstrap confidence intervals", JASA 82; bias correction with half of the
    resampled means that equal the observed one, acceleration by jackknife, as scipy.stats.bootstrap does.
    The order of `values` does not matter. Raises ValueError when all values are equal (the interval is then
    undefined) or there are none.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    means = _means(x, resamples, rng)
    observed = fsum(x) / len(x)
    deviations = x - observed
    acceleration = float((deviations**3).sum() / (6 * (deviations**2).sum() ** 1.5))
    return bca_of(means, observed, acceleration, level=level, tolerance=1e-12 * max(1.0, abs(observed)))


def bca_of(
    resampled: FloatArray, observed: float, acceleration: float, *, level: float = 0.95, tolerance: float = 1e-9
) -> Interval:
    """The BCa interval of any statistic from its resampled values and its acceleration.

    Resampled values within `tolerance` of the observed one are equal to it.
    """
    resamples = len(resampled)
    below = np.count_nonzero(resampled < observed - tolerance)
    equal = np.count_nonzero(np.abs(resampled - observed) <= tolerance)
    # Kept inside (0, 1): with few resamples all of them can lie on one side.
    share = min(max((below + equal / 2) / resamples, 0.5 / resamples), 1 - 0.5 / resamples)
    normal = NormalDist()
    bias = normal.inv_cdf(share)

    def adjusted(probability: float) -> float:
        shifted = bias + normal.inv_cdf(probability)
        return normal.cdf(bias + shifted / (1 - acceleration * shifted))

    tail = (1 - level) / 2
    low, high = np.quantile(resampled, [adjusted(tail), adjusted(1 - tail)])
    return Interval(float(low), float(high), level, "bca")


def percentile(
    values: npt.ArrayLike, *, resamples: int = 10_000, level: float = 0.95, rng: np.random.Generator
) -> Interval:
    """The percentile bootstrap interval of the mean of `values`.

    Efron (1979), "Bootstrap methods: another look at the jackknife". Raises ValueError like `bca`.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    tail = (1 - level) / 2
    low, high = np.quantile(_means(x, resamples, rng), [tail, 1 - tail])
    return Interval(float(low), float(high), level, "percentile")


def _means(x: FloatArray, resamples: int, rng: np.random.Generator) -> FloatArray:
    """The means of `resamples` samples drawn with replacement from the sorted `x`."""
    if len(x) == 0 or x[0] == x[-1]:
        raise ValueError("the bootstrap needs at least two different values")
    distinct, counts = np.unique(x, return_counts=True)
    n = len(x)
    if len(distinct) <= _FEW:
        return rng.multinomial(n, counts / n, size=resamples) @ distinct / n
    means = np.empty(resamples)
    rows = max(1, _BLOCK // n)
    ones = np.ones(n)
    for start in range(0, resamples, rows):
        shape = (min(rows, resamples - start), n)
        means[start : start + rows] = x.take(_indices(shape, rng), mode="clip") @ ones / n
    return means


def _indices(shape: tuple[int, int], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Uniform draws from 0 to shape[1] - 1, two from each 64-bit word, by multiplication and shift.

    Lemire (2019), "Fast random integer generation in an interval", without the rejection step: an index is
    drawn too often by at most n in 2^32, far below what the resampling itself leaves to chance.
    """
    draws, n = shape[0] * shape[1], shape[1]
    words = rng.integers(0, 2**64 - 1, size=(draws + 1) // 2, dtype=np.uint64, endpoint=True)
    scaled = np.multiply(words.view(np.uint32)[:draws], np.uint64(n), dtype=np.uint64)
    np.right_shift(scaled, np.uint64(32), out=scaled)
    return scaled.view(np.int64).reshape(shape)
