"""The units of several judges together: the mean of their values, or the side that most of them take."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Literal

import numpy as np

from alpaca_eval_suite.judge.panel import majority
from alpaca_eval_suite.stats.units import Units, units
from alpaca_eval_suite.types import Preference

Combine = Literal["mean", "majority"]


def values_by_judge(preferences: Iterable[Preference]) -> dict[str, dict[str, float | None]]:
    """Each judge's unit values by id; None where it failed."""
    ordered = sorted(preferences, key=lambda p: p.judge)
    return {judge: _values(units(of_judge)) for judge, of_judge in groupby(ordered, key=lambda p: p.judge)}


def combined_units(preferences: Iterable[Preference], combine: Combine = "mean") -> Units:
    """The units of verdicts on one pair of model and baseline; of one judge both ways are the same.

    `majority`: NaN where no side has more than half of all judges, which counts as a failed unit.
    """
    preferences = list(preferences)
    if combine == "mean" or len({p.judge for p in preferences}) < 2:
        return units(preferences)
    values = values_by_judge(preferences)
    ids = sorted({p.id for p in preferences})
    won = [_majority({judge: of_judge.get(id_) for judge, of_judge in values.items()}) for id_ in ids]
    return Units(tuple(ids), np.array(won, dtype=np.float64))


def _majority(values: Mapping[str, float | None]) -> float:
    win, _ = majority(values)
    return float("nan") if win is None else win


def _values(found: Units) -> dict[str, float | None]:
    pairs = zip(found.ids, found.values.tolist(), strict=True)
    return {id_: None if value != value else value for id_, value in pairs}
