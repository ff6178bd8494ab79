"""Simultaneous confidence sets for ranks, from resampled estimates.

>>> rng = np.random.default_rng(0)
>>> rank_sets(np.array([0.0, 9.0]), rng.normal([0.0, 9.0], 1.0, (500, 2)))
RankSets(low=(2, 1), high=(2, 1), level=0.95)
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_BLOCK = 4_000_000  # differences looked at together: 32 MB
_EQUAL = 1e-9  # differences that vary less than this do not vary


@dataclass(frozen=True)
class RankSets:
    """The best and the worst rank of each model that the data allow, 1 the highest estimate; all the sets together
    hold all true ranks with probability `level`."""

    low: tuple[int, ...]
    high: tuple[int, ...]
    level: float


def rank_sets(estimates: npt.ArrayLike, resampled: npt.ArrayLike, *, level: float = 0.95) -> RankSets:
    """The rank sets of `estimates` (one a model), from `resampled` (a row a joint resample, a column a model).

    Mogstad, Romano, Shaikh and Wilhelm (2024), "Inference for ranks with applications to mobility across
    neighbourhoods and academic achievement across countries", Review of Economic Studies 91: a model's best rank
    is 1 + the number of models significantly above it, its worst the number of models - those significantly
    below, with all ordered pairs tested jointly. The statistic of a pair is its difference over the standard
    deviation of its resampled differences; its critical value is the quantile of the largest centred statistic,
    stepped down over the pairs not yet rejected (Romano and Wolf 2005).
    """
    theta = np.asarray(estimates, dtype=np.float64)
    boot = np.asarray(resampled, dtype=np.float64)
    k = len(theta)
    if k < 2:
        return RankSets((1,) * k, (1,) * k, level)
    above, below = np.nonzero(~np.eye(k, dtype=np.bool_))
    centred = boot - theta
    se = _standard_deviations(centred)[above, below]
    varies = se > _EQUAL
    above, below, se = above[varies], below[varies], se[varies]
    observed = (theta[above] - theta[below]) / se
    rejected = np.zeros(len(se), dtype=np.bool_)
    while not rejected.all():
        left = ~rejected
        critical = np.quantile(_largest(centred, above[left], below[left], se[left]), level)
        found = left & (observed > critical)
        if not found.any():
            break
        rejected |= found
    n_above = np.bincount(below[rejected], minlength=k)
    n_below = np.bincount(above[rejected], minlength=k)
    return RankSets(tuple(int(rank) for rank in 1 + n_above), tuple(int(rank) for rank in k - n_below), level)


def ranks(estimates: npt.ArrayLike) -> list[int]:
    """The rank of each estimate, 1 the highest; equal ones share the best of their ranks."""
    theta = np.asarray(estimates, dtype=np.float64)
    return [1 + int((theta > value + _EQUAL).sum()) for value in theta]


def _standard_deviations(centred: FloatArray) -> FloatArray:
    covariance = np.cov(centred, rowvar=False)
    variances = np.diag(covariance)
    of_pairs: FloatArray = np.sqrt(np.maximum(variances[:, None] + variances[None, :] - 2 * covariance, 0.0))
    return of_pairs


def _largest(
    centred: FloatArray, above: npt.NDArray[np.int64], below: npt.NDArray[np.int64], se: FloatArray
) -> FloatArray:
    """The largest centred statistic of each resample."""
    rows = max(1, _BLOCK // len(se))
    return np.concatenate(
        [
            ((part[:, above] - part[:, below]) / se).max(axis=1)
            for part in (centred[at : at + rows] for at in range(0, len(centred), rows))
        ]
    )
