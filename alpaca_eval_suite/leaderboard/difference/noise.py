"""Whether a whole difference is within noise, and how large one would have to be to be found."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from alpaca_eval_suite.leaderboard.difference.sides import Side
from alpaca_eval_suite.leaderboard.difference.split import Split, Table
from alpaca_eval_suite.stats.power import detectable_difference
from alpaca_eval_suite.stats.sign_flip import sign_flip
from alpaca_eval_suite.stats.units import ROUNDING
from alpaca_eval_suite.types import Interval

ALPHA = 0.05

PAIRED = "paired"
PARTLY_PAIRED = "z with the jackknife's standard error over ids, paired where both have the id"
TWO_SAMPLES = "z of two samples with the jackknife's standard error, as they share no id"
UNPAIRED = "z of two samples from the recorded standard errors; too large where both have the same ids"


@dataclass(frozen=True)
class Noise:
    """The test of the whole difference. `within` is None where there is no test, and `reason` says why.

    `minimum_detectable_difference`: found 8 times in 10 at α .05.
    """

    test: str
    p_value: float | None
    within: bool | None
    se: float | None
    minimum_detectable_difference: float | None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        return {
            "test": self.test,
            "p_value": self.p_value,
            "within_noise": self.within,
            "se": self.se,
            "minimum_detectable_difference": self.minimum_detectable_difference,
            "reason": self.reason,
        }


def noise_of(table: Table, found: Split, rng: int = 0) -> Noise:
    """The sign-flip test where both have the same ids and count them all, else a z test of the whole difference."""
    if table.paired and (table.own == table.mine).all():
        differences = table.mine - table.published
        differences[np.abs(differences) < ROUNDING] = 0.0
        test = sign_flip(differences, rng=rng)
        return _noise(f"{PAIRED}: {test.name}", test.p_value, found.se)
    return _z(PARTLY_PAIRED if table.shared.any() else TWO_SAMPLES, found.whole.value, found.se)


def recorded_noise(mine: Side, published: Side) -> tuple[Noise, Interval | None]:
    """The test, and the interval of the difference, from the recorded rates alone."""
    errors = [recorded_se(side) for side in (mine, published)]
    if errors[0] is None or errors[1] is None:
        return Noise(UNPAIRED, None, None, None, None, "an entry holds no standard error"), None
    se = float(np.hypot(errors[0], errors[1]))
    difference = mine.value - published.value
    return _z(UNPAIRED, difference, se), normal_interval(difference, se)


def recorded_se(side: Side) -> float | None:
    """The standard error of the recorded rate, of its interval's width where it is not given."""
    given = (side.run.win_rate or {}).get("se") if side.rate == side.run.rates.get("win_rate") else None
    if given is not None:
        return float(given)
    ci = side.rate.ci
    return (ci.high - ci.low) / (2 * NormalDist().inv_cdf((1 + ci.level) / 2)) if ci else None


def normal_interval(value: float, se: float, level: float = 0.95) -> Interval:
    """The normal interval of two independent samples."""
    reach = NormalDist().inv_cdf((1 + level) / 2) * se
    return Interval(value - reach, value + reach, level, "normal, unpaired")


def _z(test: str, difference: float, se: float) -> Noise:
    if se == 0:
        if difference == 0:
            return Noise(test, 1.0, True, se, None, "both give every id the same")
        return Noise(test, None, None, se, None, "all ids differ by as much: no error follows from their spread")
    return _noise(test, 2 * NormalDist().cdf(-abs(difference) / se), se)


def _noise(test: str, p_value: float, se: float) -> Noise:
    if se == 0:
        return Noise(test, p_value, p_value > ALPHA, se, None, "all ids differ by as much")
    return Noise(test, p_value, p_value > ALPHA, se, detectable_difference(se))
