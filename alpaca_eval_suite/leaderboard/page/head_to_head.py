"""Head to head: by how much each row is ahead of each other, and which of these differences hold.

The test is that of `leaderboard compare` (stats.sign_flip: differences by id, their signs flipped), for all pairs at
once: the same ids are flipped for every pair, and the p values are adjusted by the largest statistic, stepped down
(Westfall and Young 1993). Holm's adjustment of separate tests would need millions of draws for a few thousand pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.units import Units

FloatArray = npt.NDArray[np.float64]

ALPHA = 0.05

_DRAWS = 2_000
_SEED = 0
_CONSTANT = 1e-12  # differences whose squares come to less do not differ


@dataclass(frozen=True)
class HeadToHead:
    """For rows a and b: `difference[a, b]` is how much higher a's rate is on the ids that both have (NaN without any),
    `holds[a, b]` whether it is told from chance, all pairs considered."""

    difference: FloatArray
    holds: npt.NDArray[np.bool_]


def head_to_head(rows: Sequence[Units], *, alpha: float = ALPHA, draws: int = _DRAWS, seed: int = _SEED) -> HeadToHead:
    """All pairs of `rows`; with probability 1 - `alpha` no difference is said to hold that is none."""
    values, present = _aligned(rows)
    k, n = values.shape
    a, b = np.triu_indices(k, 1)
    differences = _Differences(values, present)
    spread = np.sqrt(np.maximum(_squares(values, present)[a, b], 0.0))
    varies = spread > _CONSTANT
    a, b, spread = a[varies], b[varies], spread[varies]
    total = differences.total(np.ones(n))
    statistic = np.abs(total[a, b]) / spread
    order = np.argsort(-statistic, kind="stable")
    a, b, spread, statistic = a[order], b[order], spread[order], statistic[order]
    rng = np.random.default_rng(seed)
    as_large = np.zeros(len(statistic))
    for _ in range(draws):
        flipped = np.abs(differences.total(rng.choice((-1.0, 1.0), n))[a, b]) / spread
        # Of each pair, the largest among those that are no more significant than it.
        largest = np.maximum.accumulate(flipped[::-1])[::-1]
        as_large += largest >= statistic - _CONSTANT
    p = np.maximum.accumulate((as_large + 1) / (draws + 1))
    holds = np.zeros((k, k), dtype=np.bool_)
    holds[a, b] = holds[b, a] = p <= alpha
    shared = present @ present.T
    return HeadToHead(np.divide(total, shared, out=np.full((k, k), np.nan), where=shared > 0), holds)


class _Differences:
    """Sums of differences over the ids that both of a pair have."""

    def __init__(self, values: FloatArray, present: FloatArray) -> None:
        self._values = values
        # Only these ids must be looked at pair by pair; for the others a difference of sums is enough.
        self._somewhere_absent = np.flatnonzero((present == 0).any(axis=0))
        self._partly = values[:, self._somewhere_absent]
        self._absent = 1 - present[:, self._somewhere_absent]

    def total(self, weights: FloatArray) -> FloatArray:
        """[a, b]: the weighted sum of a's values less that of b's."""
        sums = self._values @ weights
        total = sums[:, None] - sums[None, :]
        if len(self._somewhere_absent):
            of_one = (self._partly * weights[self._somewhere_absent]) @ self._absent.T
            total -= of_one - of_one.T
        return np.asarray(total)


def _aligned(rows: Sequence[Units]) -> tuple[FloatArray, FloatArray]:
    """(rows, ids): the values, 0 where there is none; and 1 where there is one."""
    number = {id_: place for place, id_ in enumerate(sorted({id_ for units in rows for id_ in units.ids}))}
    values = np.full((len(rows), len(number)), np.nan)
    for row, units in zip(values, rows, strict=True):
        row[[number[id_] for id_ in units.ids]] = units.values
    return np.nan_to_num(values), (~np.isnan(values)).astype(np.float64)


def _squares(values: FloatArray, present: FloatArray) -> FloatArray:
    """[a, b]: the sum of the squares of the differences, over the ids that both have."""
    squares = values**2 @ present.T
    return np.asarray(squares + squares.T - 2 * values @ values.T)
