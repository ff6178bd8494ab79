"""What each id gave a row, read from the raw file of its run: the ground of ranks, comparisons and equal lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.combined import combined_units
from alpaca_eval_suite.leaderboard.choice import APP
from alpaca_eval_suite.leaderboard.importers.scores import unit_values
from alpaca_eval_suite.leaderboard.raw import RawItem, read_raw
from alpaca_eval_suite.leaderboard.rows import WIN_RATE, Row
from alpaca_eval_suite.probes.registry import probe_of
from alpaca_eval_suite.stats.length_data import LengthData
from alpaca_eval_suite.stats.units import Units

_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Measured:
    """The units of a row's headline rate, and, where it is a win rate, the same with lengths."""

    units: Units
    lengths: LengthData | None


def measure(row: Row, results: Path, app: str | None = None) -> Measured | str:
    """The units of the row's headline rate (of the slice `app`), or the reason why they are not known.

    Units that give another rate than the record are not used: one of the two was changed.
    """
    if row.withheld:
        return "its judge has no information"
    if row.run.stopped_early:
        return "judging ended early, so that no interval but its own holds"
    if row.headline is None or row.headline.value is None:
        return "it has no such rate"
    if row.run.raw is None:
        return "its raw verdicts are not kept"
    try:
        items = read_raw(results / row.run.raw.file)
    except SuiteError as error:
        return str(error).splitlines()[0]
    if app is not None:
        items = [item for item in items if item.slices.get(APP) == app]
    found = _of_verdicts(row, items) if row.kind.headline == WIN_RATE else _of_outcomes(row, items)
    if found.units.n != row.headline.n or abs(found.units.valid.mean() - row.headline.value) > _SAME:
        return "its raw verdicts give another rate than its record (alpaca-suite leaderboard verify says more)"
    return found


def _of_verdicts(row: Row, items: Sequence[RawItem]) -> Measured:
    units = combined_units([preference for item in items for preference in item.preferences(row.run)], row.run.combine)
    difference = {item.id: _length_difference(item, row.run.decoding.thinking) for item in items}
    baseline = row.run.baseline
    return Measured(
        units,
        LengthData(
            units.ids,
            units.values,
            np.array([difference[id_] for id_ in units.ids], dtype=np.float64),
            baseline is not None and baseline.name == row.run.model.name,
        ),
    )


def _length_difference(item: RawItem, thinking: str) -> float:
    own, baseline = item.length(thinking), item.baseline_length(thinking)
    return float("nan") if own is None or baseline is None else float(own - baseline)


def _of_outcomes(row: Row, items: Sequence[RawItem]) -> Measured:
    """1 for an answer that was read as the headline rate counts it, over the kinds of items that can be."""
    scores = unit_values(items, row.kind.headline)
    if scores:  # an import, whose scores are its own
        return Measured(Units(tuple(sorted(scores)), np.array([scores[id_] for id_ in sorted(scores)])), None)
    probe = probe_of(row.run.scenario.metric)
    kinds = probe.shares.get(row.kind.headline) if probe else None
    read = sorted(
        (item.id, float("nan") if item.outcome is None else float(item.outcome == row.kind.headline))
        for item in (item.judged(row.run) for item in items)
        if item.read and (kinds is None or item.kind in kinds)
    )
    values = np.array([value for _, value in read], dtype=np.float64)
    return Measured(Units(tuple(id_ for id_, _ in read), values), None)
