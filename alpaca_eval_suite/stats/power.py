"""Planning a run: how many instructions a half-width or a detectable difference takes.

>>> instructions_for_half_width(0.5, 0.05)
385
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats.units import Units, units
from alpaca_eval_suite.types import Order, Preference

LARGEST_SD = 0.5
"""The standard deviation of units that are won or lost as often: none in [0, 1] is larger."""

_BOTH: tuple[Order, Order] = ("model_first", "baseline_first")


def detectable_difference(se: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """The true difference that a two-sided test at `alpha` finds with probability `power`, given its standard
    error (normal approximation: the chance to find it in the wrong direction is left out).

    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences.
    """
    normal = NormalDist()
    return (normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)) * se


def instructions_for_difference(sd: float, difference: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """How many units of standard deviation `sd` make `difference` detectable (see `detectable_difference`).

    Raises ValueError unless `difference` is above 0 and `sd` is not negative.
    """
    return _instructions(sd, difference, detectable_difference(1.0, alpha=alpha, power=power))


def instructions_for_half_width(sd: float, half_width: float, *, level: float = 0.95) -> int:
    """How many units of standard deviation `sd` give an interval of the mean of estimate ± `half_width`.

    Raises ValueError unless `half_width` is above 0 and `sd` is not negative.
    """
    return _instructions(sd, half_width, NormalDist().inv_cdf((1 + level) / 2))


def _instructions(sd: float, distance: float, errors: float) -> int:
    if not (distance > 0 and sd >= 0):
        raise ValueError(f"no number of units follows from sd {sd!r} and distance {distance!r}")
    # The rounding keeps 1e-16 of noise from asking for one unit more.
    return max(2, ceil(round((errors * sd / distance) ** 2, 9)))


@dataclass(frozen=True)
class Spread:
    """Standard deviations of units: judged in one order (either, by chance), and as the mean of both.

    None where the verdicts do not tell.
    """

    one_order: float | None
    both_orders: float | None


def spread(preferences: Sequence[Preference]) -> Spread:
    """The spread of one model's units.

    Verdicts in a single unknown order give `one_order` alone. Raises SuiteError as `units` does.
    """
    return _spread([units(of) for of in _by_order(preferences)], units(preferences))


def spread_paired(a: Sequence[Preference], b: Sequence[Preference]) -> Spread:
    """The spread of the per-id differences between two models, both judged in the same order.

    Raises SuiteError when fewer than two ids have a value in both.
    """
    by_order = [_difference(units(x), units(y)) for x, y in zip(_by_order(a), _by_order(b), strict=True)]
    both = _difference(units(a), units(b))
    if both.n < 2:
        raise SuiteError("fewer than two ids have a value in both files: no spread of differences can be measured")
    return _spread(by_order, both)


def spread_unpaired(a: Spread, b: Spread) -> Spread:
    """The spread of a difference between two models on separate instructions: variances add."""
    return Spread(_root_of_sum(a.one_order, b.one_order), _root_of_sum(a.both_orders, b.both_orders))


def _by_order(preferences: Sequence[Preference]) -> list[list[Preference]]:
    return [[p for p in preferences if p.order == order] for order in _BOTH]


def _spread(by_order: Sequence[Units], both: Units) -> Spread:
    if not any(len(of.ids) for of in by_order):
        return Spread(_sd(both.valid), None)
    pooled = np.concatenate([of.valid for of in by_order])
    return Spread(_sd(pooled), _sd(both.valid) if all(len(of.ids) for of in by_order) else None)


def _difference(a: Units, b: Units) -> Units:
    value_of_b = dict(zip(b.ids, b.values, strict=True))
    differences = [
        (id_, value - value_of_b[id_]) for id_, value in zip(a.ids, a.values, strict=True) if id_ in value_of_b
    ]
    return Units(tuple(id_ for id_, _ in differences), np.array([d for _, d in differences], dtype=np.float64))


def _sd(values: npt.NDArray[np.float64]) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _root_of_sum(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else sqrt(a**2 + b**2)
