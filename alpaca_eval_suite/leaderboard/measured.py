"""What each id gave a row, read from the raw file of its run: the ground of ranks, comparisons and equal lengths."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.leaderboard.choice import APP
from alpaca_eval_suite.leaderboard.rows import WIN_RATE, Row
from alpaca_eval_suite.stats.length_data import LengthData
from alpaca_eval_suite.stats.units import Units

if TYPE_CHECKING:
    from alpaca_eval_suite.leaderboard.raw import RawItem

_SAME = 1e-9
_BY_OUTCOME = ("short_answer",)
"""Metrics whose headline rate is the share of all items with that outcome; others count some kinds of items."""


@dataclass(frozen=True, eq=False)
class Measured:
    """The units of a row's headline rate, and, where it is a win rate, the same with lengths."""

    units: Units
    lengths: LengthData | None


def measure(row: Row, results: Path, app: str | None = None) -> Measured | str:
    """The units of the row's headline rate (of the slice `app`), or the reason why they are not known.

    Units that give another rate than the record are not used: either of the two was changed.
    """
    raw = getattr(row.run, "raw", None)
    if raw is None:
        return "its raw verdicts are not kept"
    from alpaca_eval_suite.leaderboard.raw import read_raw

    try:
        items = read_raw(results / raw.file)
    except SuiteError as error:
        return error.what
    if app is not None:
        items = [item for item in items if item.slices.get(APP) == app]
    if row.kind.headline == WIN_RATE:
        found = _of_verdicts(row, items)
    elif row.run.scenario.metric in _BY_OUTCOME:
        found = _of_outcomes(row, items)
    else:
        return "ranks are of win rates and of short answers"
    headline = row.headline
    if headline is None or headline.value is None:
        return "it has no such rate"
    if found.units.n != headline.n or abs(found.units.valid.mean() - headline.value) > _SAME:
        return "its raw verdicts give another rate than its record: alpaca-suite leaderboard verify says more"
    return found


def _of_verdicts(row: Row, items: list["RawItem"]) -> Measured:
    data = LengthData.of(preference for item in items for preference in item.preferences(row.run))
    order = sorted(range(len(data.ids)), key=data.ids.__getitem__)
    return Measured(Units(tuple(data.ids[i] for i in order), data.wins[order]), data)


def _of_outcomes(row: Row, items: list["RawItem"]) -> Measured:
    read = sorted(
        (item.id, float("nan") if item.outcome.label is None else float(item.outcome.label == row.kind.headline))
        for item in items
        if item.outcome is not None
    )
    return Measured(Units(tuple(id_ for id_, _ in read), np.array([value for _, value in read])), None)
