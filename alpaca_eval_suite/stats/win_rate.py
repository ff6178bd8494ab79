"""The win rate of a model against a baseline, with the interval that fits the data.

>>> result = win_rate(Units(("a", "b", "c", "d"), np.array([1.0, 1.0, 0.0, np.nan])))
>>> result.n, result.n_failed, result.ci.method
(3, 1, 'wilson (fall-back: 2 wins and 1 loss, BCa needs 15 of each)')
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.stats.betting import betting
from alpaca_eval_suite.stats.bootstrap import bca, percentile
from alpaca_eval_suite.stats.intervals import t_interval, wilson
from alpaca_eval_suite.stats.power import detectable_difference
from alpaca_eval_suite.stats.tango import tango
from alpaca_eval_suite.stats.units import ROUNDING, TIE, Units
from alpaca_eval_suite.types import Interval

Method = Literal["auto", "bca", "percentile", "t", "wilson", "tango", "betting"]

FloatArray = npt.NDArray[np.float64]

FEW = 15
"""With fewer wins or fewer losses than this the bootstrap of a mean is known to cover too little."""


@dataclass(frozen=True)
class WinRate:
    """The mean of the units and what belongs to it. `reason` says why a figure is None; empty otherwise.

    `se` is the standard error (ddof 1). `worst_case` has the ends of the interval with all failed units lost,
    and all won. `minimum_detectable_difference` is from 0.5 (two-sided α .05, power .8, observed sd).
    """

    win_rate: float | None
    se: float | None
    ci: Interval | None
    worst_case: Interval | None
    n: int
    n_failed: int
    wins: int
    losses: int
    ties: int
    minimum_detectable_difference: float | None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """The public form; rates are fractions, intervals {"low", "high", "level", "method"}."""
        return {
            "n": self.n,
            "n_failed": self.n_failed,
            "wins": self.wins,
            "losses": self.losses,
            "ties": self.ties,
            "win_rate": self.win_rate,
            "se": self.se,
            "ci": self.ci.as_json() if self.ci else None,
            "worst_case": self.worst_case.as_json() if self.worst_case else None,
            "minimum_detectable_difference": self.minimum_detectable_difference,
            "reason": self.reason,
        }


def win_rate(
    units: Units,
    *,
    method: Method = "auto",
    resamples: int = 10_000,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> WinRate:
    """The mean of the units with its interval, standard error and counts.

    `method="auto"` is BCa with the fall-backs of `win_interval`; any other is taken at its word. `rng` is a
    seed or a generator. No valid unit gives None throughout, with a reason.
    Raises UsageError for a method that the units do not allow.
    """
    rng = np.random.default_rng(rng)
    values = units.valid
    if units.n == 0:
        reason = "every unit failed" if units.n_failed else "there are no units"
        return WinRate(None, None, None, None, 0, units.n_failed, 0, 0, 0, None, reason)

    def interval(of: FloatArray) -> Interval:
        return win_interval(of, method=method, resamples=resamples, level=level, rng=rng)

    ci = interval(values)
    se = float(values.std(ddof=1)) / sqrt(units.n) if units.n > 1 else None
    reason = ""
    if se is None:
        reason = "one unit has no standard error"
    elif se == 0:
        reason = "all units are equal: no detectable difference follows from their spread"
    return WinRate(
        win_rate=float(values.mean()),
        se=se,
        ci=ci,
        worst_case=_worst_case(values, units.n_failed, ci, interval),
        n=units.n,
        n_failed=units.n_failed,
        wins=units.wins,
        losses=units.losses,
        ties=units.ties,
        minimum_detectable_difference=detectable_difference(se) if se else None,
        reason=reason,
    )


def win_interval(
    values: FloatArray, *, method: Method, resamples: int, level: float, rng: np.random.Generator
) -> Interval:
    """The interval of the mean of `values`: wins of 1, losses of 0, ties of 0.5, or fractions of a win.

    `auto`: BCa; where the bootstrap is known to fail (fewer than 15 wins or 15 losses, or all values equal)
    Wilson when all are 0 or 1, Tango when there are ties, betting for fractions, and `method` of the result
    says so. Raises UsageError for a method that the values do not allow.
    """
    made: Mapping[str, Callable[[], Interval]] = {
        "bca": lambda: bca(values, resamples=resamples, level=level, rng=rng),
        "percentile": lambda: percentile(values, resamples=resamples, level=level, rng=rng),
        "t": lambda: t_interval(values, level),
        "wilson": lambda: _wilson(values, level),
        "tango": lambda: _tango(values, level),
        "betting": lambda: betting(values, level, rng=rng),
    }
    if method != "auto":
        try:
            return made[method]()
        except ValueError as error:
            raise UsageError(
                f"method {method!r}: {error}",
                next_step="Leave the method out: the one that fits the data is then taken.",
            ) from error
    why = _why_no_bootstrap(values)
    if not why:
        return made["bca"]()
    fallen_back = made[_fall_back(values)]()
    return replace(fallen_back, method=f"{fallen_back.method} (fall-back: {why})")


def _why_no_bootstrap(values: FloatArray) -> str:
    """Why the bootstrap would fail on the values; empty where it works."""
    if len(values) > 1 and values.max() - values.min() < ROUNDING:
        return f"all {len(values)} units are equal"
    wins, losses = int((values > TIE).sum()), int((values < TIE).sum())
    if min(wins, losses) < FEW:
        return f"{_count(wins, 'win', 'wins')} and {_count(losses, 'loss', 'losses')}, BCa needs {FEW} of each"
    return ""


def _fall_back(values: FloatArray) -> Method:
    if np.isin(values, (0.0, 1.0)).all():
        return "wilson"
    return "tango" if np.isin(values, (0.0, TIE, 1.0)).all() else "betting"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _wilson(values: FloatArray, level: float) -> Interval:
    if not np.isin(values, (0.0, 1.0)).all():
        raise ValueError("Wilson's interval needs units that are won or lost, without ties or fractions")
    return wilson(int(values.sum()), len(values), level)


def _tango(values: FloatArray, level: float) -> Interval:
    wins, ties, losses = (int((values == value).sum()) for value in (1.0, TIE, 0.0))
    if wins + ties + losses < len(values):
        raise ValueError("Tango's interval needs units that are won, lost or tied, without fractions")
    difference = tango(wins, ties, losses, level)
    return replace(difference, low=0.5 + difference.low / 2, high=0.5 + difference.high / 2)


def _worst_case(
    values: FloatArray, n_failed: int, ci: Interval, interval: Callable[[FloatArray], Interval]
) -> Interval:
    if n_failed == 0:
        return ci
    lost = interval(np.concatenate([values, np.zeros(n_failed)]))
    won = interval(np.concatenate([values, np.ones(n_failed)]))
    method = lost.method if lost.method == won.method else f"low: {lost.method}; high: {won.method}"
    # Monte-Carlo error, or a change of method between the three, must not make the worst case the better one.
    return Interval(min(lost.low, ci.low), max(won.high, ci.high), ci.level, method)
