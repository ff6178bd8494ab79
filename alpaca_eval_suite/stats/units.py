"""Units: what a win rate counts. One unit is one (model, baseline, id); an interval resamples units.

>>> prefs = [Preference("a", 1.0, order="model_first"), Preference("a", 0.0, order="baseline_first")]
>>> units(prefs).values
array([0.5])
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import fsum
from typing import Literal

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.types import Preference

Incomplete = Literal["drop", "keep"]
"""What becomes of a pair of which one order failed: `drop` makes it null, `keep` takes the order left."""

TIE = 0.5

ROUNDING = 1e-9
"""Values closer than this are equal: rounding in a mean of thirds must not turn a tie into a loss."""


@dataclass(frozen=True, eq=False)
class Units:
    """The units of one (model, baseline) pair: `values[i]` in [0, 1] is of `ids[i]`, NaN where it failed.

    `ids` are sorted and unique, so the same verdicts in any order give the same units.
    """

    ids: tuple[str, ...]
    values: npt.NDArray[np.float64]

    @property
    def valid(self) -> npt.NDArray[np.float64]:
        """The values of the units that did not fail."""
        return self.values[~np.isnan(self.values)]

    @property
    def n(self) -> int:
        """Units with a value."""
        return len(self.valid)

    @property
    def n_failed(self) -> int:
        """Units without a value."""
        return len(self.ids) - self.n

    @property
    def wins(self) -> int:
        """Units above 0.5."""
        return int((self.values > TIE).sum())

    @property
    def losses(self) -> int:
        """Units below 0.5."""
        return int((self.values < TIE).sum())

    @property
    def ties(self) -> int:
        """Units at 0.5."""
        return int((self.values == TIE).sum())


def units(preferences: Iterable[Preference], *, incomplete: Incomplete = "drop") -> Units:
    """The units of verdicts on one (model, baseline) pair.

    Within an id, a judge and a seed the orders are averaged. When one of them failed the pair is null, or,
    with `incomplete="keep"`, the mean of what is left; an order that was never asked is no failure. The
    unit's value is the mean over the seeds, then over the judges, of what is not null; NaN if nothing is.
    Raises SuiteError when the verdicts are of several pairs, or one id is of several scenarios.
    """
    preferences = list(preferences)
    _check_one_pair(preferences)
    ids: list[str] = []
    values: list[float] = []
    for id_, of_id in groupby(sorted(preferences, key=_key), key=lambda p: p.id):
        of_judges = []
        for _, of_judge in groupby(of_id, key=lambda p: p.judge):
            of_seeds = [
                _mean_of_orders([p.win for p in of_seed], incomplete)
                for _, of_seed in groupby(of_judge, key=lambda p: p.seed)
            ]
            of_judges.append(_mean_of_valid(of_seeds))
        ids.append(id_)
        values.append(_value(_mean_of_valid(of_judges)))
    return Units(tuple(ids), np.array(values, dtype=np.float64))


def _key(preference: Preference) -> tuple[str, str, int, str]:
    return (preference.id, preference.judge, preference.seed, preference.order)


def _check_one_pair(preferences: Sequence[Preference]) -> None:
    pairs = sorted({(p.model, p.baseline) for p in preferences})
    if len(pairs) > 1:
        listed = "; ".join(f"{model} against {baseline}" for model, baseline in pairs[:10])
        raise SuiteError(
            f"the verdicts are of {len(pairs)} pairs of model and baseline: {listed}",
            next_step="Give the verdicts of one pair at a time.",
        )
    scenario_of: dict[str, str] = {}
    for p in preferences:
        if scenario_of.setdefault(p.id, p.scenario) != p.scenario:
            raise SuiteError(
                f"the id {p.id!r} stands in two scenarios: {scenario_of[p.id]!r} and {p.scenario!r}",
                next_step="Give the verdicts of one scenario at a time.",
            )


def _mean_of_orders(wins: Sequence[float | None], incomplete: Incomplete) -> float | None:
    if incomplete == "drop" and None in wins:
        return None
    return _mean_of_valid(wins)


def _mean_of_valid(values: Sequence[float | None]) -> float | None:
    valid = [value for value in values if value is not None]
    return fsum(valid) / len(valid) if valid else None


def _value(mean: float | None) -> float:
    if mean is None:
        return float("nan")
    return TIE if abs(mean - TIE) < ROUNDING else mean
