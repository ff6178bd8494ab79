"""Looking at a running win rate as often as one likes: a confidence sequence by betting.

>>> result = sequential(Units(tuple("abcdefgh"), np.ones(8)), seed=0)
>>> result.looks[-1].low, result.looks[-1].high
(1.0, 1.0)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats.units import ROUNDING, TIE, Units

FloatArray = npt.NDArray[np.float64]

Decision = Literal["model", "baseline", "undecided"]

_TRUNCATION = 0.5  # c of the bets: at most so much of what can be lost
_GRID = 4_000  # the ends are multiples of 1/4000, rounded outwards
_BLOCK = 4_000_000  # capitals looked at together: 32 MB


@dataclass(frozen=True)
class Look:
    """After the first `n` ids of the order: the running rate of those with a value, and the sequence's ends."""

    n: int
    win_rate: float | None
    low: float
    high: float


@dataclass(frozen=True)
class Sequential:
    """The looks at each prefix of the order. `decided_at` is the first n at which 0.5 is outside, or None.

    `n_total` is the number N of ids whose mean is estimated; `n_failed` counts failures in the prefix.
    """

    looks: tuple[Look, ...]
    decided_at: int | None
    decision: Decision
    n_total: int
    n_failed: int
    level: float
    seed: int

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        return {
            "looks": [
                {"n": look.n, "win_rate": look.win_rate, "low": look.low, "high": look.high} for look in self.looks
            ],
            "decided_at": self.decided_at,
            "decision": self.decision,
            "n": len(self.looks),
            "n_total": self.n_total,
            "n_failed": self.n_failed,
            "level": self.level,
            "seed": self.seed,
        }


def drawn_order(ids: Sequence[str], seed: int) -> list[str]:
    """The ids in the order to judge them in: drawn by the seed, whatever order they are given in."""
    ordered = sorted(ids)
    return [ordered[i] for i in np.random.default_rng(seed).permutation(len(ordered))]


def sequential(units: Units, *, ids: Sequence[str] | None = None, seed: int = 0, level: float = 0.95) -> Sequential:
    """The confidence sequence of the mean over all `ids` (those of the units when None), looked at after each.

    The order is `drawn_order`; the first id without a unit ends the prefix that counts. A failed unit counts as 0
    in the lower sequence and as 1 in the upper one. With probability `level` all looks hold the mean at once.
    Raises SuiteError for units outside `ids`, for an id that stands twice, and when there are none.
    """
    everything = units.ids if ids is None else tuple(ids)
    _check_ids(units, everything)
    value_of = dict(zip(units.ids, units.values, strict=True))
    prefix: list[float] = []
    for id_ in drawn_order(everything, seed):
        if id_ not in value_of:
            break
        prefix.append(float(value_of[id_]))
    values = np.array(prefix, dtype=np.float64)
    failed = np.isnan(values)
    alpha = (1 - level) / 2
    lost, won = np.where(failed, 0.0, values), np.where(failed, 1.0, values)
    low = lower_sequence(lost, len(everything), alpha)
    high = 1 - lower_sequence(1 - won, len(everything), alpha)
    # Where the bets have erred, what is certain is stronger: the ends never cross.
    low = np.minimum(low, 1 - np.cumsum(1 - won) / len(everything))
    high = np.maximum(high, np.cumsum(lost) / len(everything))
    valid = np.cumsum(~failed)
    sums = np.cumsum(lost)
    looks = tuple(
        Look(i + 1, float(sums[i] / valid[i]) if valid[i] else None, float(low[i]), float(high[i]))
        for i in range(len(values))
    )
    outside = np.flatnonzero((low > TIE + ROUNDING) | (high < TIE - ROUNDING))
    decision: Decision = "undecided"
    if len(outside):
        decision = "model" if low[outside[0]] > TIE else "baseline"
    return Sequential(
        looks=looks,
        decided_at=int(outside[0]) + 1 if len(outside) else None,
        decision=decision,
        n_total=len(everything),
        n_failed=int(failed.sum()),
        level=level,
        seed=seed,
    )


def lower_sequence(values: npt.ArrayLike, n_total: int, alpha: float) -> FloatArray:
    """Lower bounds, one after each value, of the mean of `n_total` values in [0, 1] drawn without replacement.

    They hold together with probability 1 - `alpha` at least. Each is the largest of a grid of means that the bets
    on a higher one have refuted (`log_capital` of log 1/alpha), or what the values seen make certain: the sum so
    far over `n_total`. Raises ValueError for a value outside [0, 1] or more than `n_total` of them.
    """
    x = np.asarray(values, dtype=np.float64)
    if len(x) > n_total or (len(x) and not (x.min() >= 0 and x.max() <= 1)):
        raise ValueError("a confidence sequence needs values in [0, 1], at most n_total of them")
    refuted = np.zeros(len(x))
    columns = max(1, _BLOCK // max(1, len(x)))
    for start in range(0, _GRID, columns):
        means = np.arange(start, min(start + columns, _GRID)) / _GRID
        over = log_capital(x, n_total, means, alpha) >= log(1 / alpha)
        # A mean that is refuted once is refuted for good; below it all are, so the last one counts.
        highest = np.where(over, means, 0.0).max(axis=1)
        refuted = np.maximum(refuted, np.maximum.accumulate(highest))
    bounds: FloatArray = np.maximum(refuted, np.cumsum(x) / n_total)
    return bounds


def log_capital(values: FloatArray, n_total: int, means: FloatArray, alpha: float) -> FloatArray:
    """The log of the capital won by betting that the mean is above each of `means`: (value, mean).

    Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting", JRSS B 86, section 5
    (sampling without replacement): were the mean m, the next value would on average be what is left of n_total · m
    over the values left, and the capital a martingale. The bets are the predictable plug-in of eq. 26's form for
    a sequence: sqrt(2 log(1/alpha) / (variance · t · log(1 + t))), at most 1/2 over the next value's mean. The
    capital falls as m grows; where the values seen exceed n_total · m it is infinite.
    """
    t = np.arange(1, len(values) + 1)
    seen = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    bets = np.sqrt(2 * log(1 / alpha) / (_variances(values) * t * np.log1p(t)))
    left = (n_total * means[None, :] - seen[:, None]) / (n_total - t + 1)[:, None]
    possible = left > 0
    bounded = np.minimum(bets[:, None], _TRUNCATION / np.where(possible, left, 1.0))
    gains = np.log1p(np.where(possible, bounded * (values[:, None] - left), 0.0))
    # With nothing left a mean is refuted by any value above 0, and what came before has refuted it below 0.
    impossible = (left < 0) | ((left == 0) & (values[:, None] > 0))
    gains[impossible] = np.inf
    capital: FloatArray = np.cumsum(gains, axis=0)
    return capital


def _variances(values: FloatArray) -> FloatArray:
    """The variance expected before each value, from those before it (a quarter, as one value, to begin with)."""
    t = np.arange(1, len(values) + 1)
    means = (0.5 + np.cumsum(values)) / (t + 1)
    variances = (0.25 + np.cumsum((values - means) ** 2)) / (t + 1)
    return np.concatenate([[0.25], variances[:-1]])


def _check_ids(units: Units, ids: Sequence[str]) -> None:
    if not ids:
        raise SuiteError("there are no ids to look at", next_step="Judge first: alpaca-suite eval --judge.")
    known = set(ids)
    if len(known) < len(ids):
        twice = next(id_ for id_ in known if list(ids).count(id_) > 1)
        raise SuiteError(f"the id {twice!r} stands twice among all ids", next_step="Give each id once.")
    strangers = sorted(set(units.ids) - known)
    if strangers:
        listed = ", ".join(map(repr, strangers[:10])) + (", …" if len(strangers) > 10 else "")
        raise SuiteError(
            f"{len(strangers)} judged ids are not among all ids: {listed}",
            next_step="Give the ids of the set that the judged ones were drawn from.",
        )
