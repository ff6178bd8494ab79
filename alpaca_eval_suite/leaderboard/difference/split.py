"""The difference of two rates in parts that add up to it: one row an id goes in, a part for each cause comes out.

The rate of one run is turned into that of the other step by step (docs/leaderboard_diff.md), each step through the
rate that would have been; a part is what its step moves. All parts are functions of sums over ids, so one set of
resampled ids gives the intervals of all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.leaderboard.difference.causes import Groups, contributions, groups_of
from alpaca_eval_suite.stats.bootstrap import bca_of
from alpaca_eval_suite.stats.proportion import FEW
from alpaca_eval_suite.stats.totals import resampled_totals
from alpaca_eval_suite.types import Interval

FloatArray = npt.NDArray[np.float64]

ENOUGH = FEW
"""Ids that a cause must be told apart by, and that both must have; with fewer the bootstrap is known to fail."""

STEPS = ("ties", "failures", "items", "orders")
NOISE = "noise"

_VARIES = 1e-12


@dataclass(frozen=True)
class Part:
    """What one cause, or several that cannot be told apart, moves the rate by; `n_ids` is how many ids carry it.

    `interval` is None where nothing varies: nothing differs, or the raw verdicts say nothing of it.
    """

    causes: tuple[str, ...]
    value: float
    interval: Interval | None
    n_ids: int

    def as_json(self) -> dict[str, Any]:
        """{"causes", "value", "ci", "n_ids"}."""
        ci = self.interval.as_json() if self.interval else None
        return {"causes": list(self.causes), "value": self.value, "ci": ci, "n_ids": self.n_ids}


@dataclass(frozen=True, eq=False)
class Table:
    """One row an id that either run has. Rates are counted under rules; NaN is an id that is not counted, or not there.

    `own`: mine as it was counted; `ties`: with the other's rule for ties; `mine`, `published`: both by the published
    rule. `shared`: asked in both. `mine_alike`, `published_alike`: both in the orders that both were asked in, NaN
    where one of the two is not counted. `causes`: what differs, or may differ, by name.
    """

    own: FloatArray
    ties: FloatArray
    mine: FloatArray
    published: FloatArray
    shared: npt.NDArray[np.bool_]
    mine_alike: FloatArray
    published_alike: FloatArray
    causes: Mapping[str, npt.NDArray[np.bool_]]

    @cached_property
    def both(self) -> npt.NDArray[np.bool_]:
        """The ids that are counted in both."""
        counted: npt.NDArray[np.bool_] = self.shared & ~np.isnan(self.mine) & ~np.isnan(self.published)
        return counted

    @property
    def paired(self) -> bool:
        """Whether both have the same ids, and count them all."""
        return bool(self.both.all()) and not np.isnan(self.own).any()

    @property
    def is_split(self) -> bool:
        """Whether so many ids are counted in both that more than the rules can be told apart."""
        return int(self.both.sum()) >= ENOUGH


@dataclass(frozen=True)
class Split:
    """The parts in their fixed order, the whole with its interval, and its standard error by jackknife over ids."""

    parts: tuple[Part, ...]
    whole: Part
    se: float


def split(table: Table, *, resamples: int = 10_000, level: float = 0.95, rng: int | np.random.Generator = 0) -> Split:
    """The parts of mean(own) - mean(published), which they add up to.

    In order: `ties`, `failures`, `items`, `orders`, the causes of the table (those that cannot be told apart as one
    part), `noise`. With fewer than ENOUGH ids counted in both: `ties`, then everything else in one. Intervals are BCa
    over ids. Raises ValueError where one of the two rates counts no id.
    """
    if np.isnan(table.own).all() or np.isnan(table.ties).all() or np.isnan(table.mine).all():
        raise ValueError("no id of the first run is counted")
    if np.isnan(table.published).all():
        raise ValueError("no id of the second run is counted")
    statistic = _Statistic(table)
    return _with_intervals(statistic, resamples, level, np.random.default_rng(rng))


class _Statistic:
    """All parts, then the whole, from sums over ids (…, K)."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._columns: list[FloatArray] = []
        everywhere = np.ones(len(table.own), dtype=np.bool_)
        self._own = self._mean(table.own, everywhere)
        self._ties = self._mean(table.ties, everywhere)
        self._mine = self._mean(table.mine, everywhere)
        self._published = self._mean(table.published, everywhere)
        self._groups: Groups | None = None
        if table.is_split:
            self._shared = self._mean(table.mine, table.shared), self._mean(table.published, table.shared)
            self._both = self._mean(table.mine, table.both), self._mean(table.published, table.both)
            self._alike = self._mean(table.mine_alike, table.both), self._mean(table.published_alike, table.both)
            self._groups = groups_of({name: of[table.both] for name, of in table.causes.items()}, ENOUGH)
            self._cells = self._add_cells(self._groups)
        self.features = np.column_stack(self._columns)

    def _mean(self, values: FloatArray, among: npt.NDArray[np.bool_]) -> tuple[int, int]:
        counted = among & ~np.isnan(values)
        self._columns += [np.where(counted, values, 0.0), counted.astype(np.float64)]
        return len(self._columns) - 2, len(self._columns) - 1

    def _add_cells(self, groups: Groups) -> tuple[slice, slice]:
        """Sums and numbers of the ids of each cell."""
        both = self._table.both
        member = np.zeros((len(both), len(groups.cells)))
        member[np.flatnonzero(both), groups.cell_of] = 1.0
        left = np.where(both, self._table.mine_alike - self._table.published_alike, 0.0)
        first, k = len(self._columns), len(groups.cells)
        self._columns += [*(member * left[:, None]).T, *member.T]
        return slice(first, first + k), slice(first + k, first + 2 * k)

    @property
    def names(self) -> list[tuple[str, ...]]:
        """The causes of each part."""
        if self._groups is None:
            return [("ties",), (*STEPS[1:], *self._table.causes, NOISE)]
        return [*((step,) for step in STEPS), *self._groups.names, (NOISE,)]

    def __call__(self, sums: FloatArray) -> FloatArray:
        def mean(of: tuple[int, int]) -> FloatArray:
            with np.errstate(invalid="ignore", divide="ignore"):
                ratio: FloatArray = sums[..., of[0]] / sums[..., of[1]]
            return ratio

        own, ties = mean(self._own), mean(self._ties)
        mine, published = mean(self._mine), mean(self._published)
        if self._groups is None:
            return np.stack([own - ties, ties - published, own - published], axis=-1)
        shared, both, alike = ([mean(of) for of in pair] for pair in (self._shared, self._both, self._alike))
        not_counted = (shared[0] - both[0]) - (shared[1] - both[1])
        of_causes = contributions(self._groups, sums[..., self._cells[0]], sums[..., self._cells[1]])
        parts = [
            own - ties,
            ties - mine + not_counted,
            (mine - shared[0]) - (published - shared[1]),
            (both[0] - alike[0]) - (both[1] - alike[1]),
            *np.moveaxis(of_causes, -1, 0),
            alike[0] - alike[1] - of_causes.sum(axis=-1),
        ]
        return np.stack([*parts, own - published], axis=-1)

    def carriers(self) -> list[int]:
        """How many ids carry each part, and the whole."""
        table = self._table
        retied = int((_differ(table.own, table.ties)).sum())
        if self._groups is None:
            return [retied, len(table.own), len(table.own)]
        refailed = _differ(table.ties, table.mine) | (table.shared & ~table.both)
        reordered = table.both & (
            _differ(table.mine, table.mine_alike) | _differ(table.published, table.published_alike)
        )
        unlike = [
            int(np.logical_or.reduce([table.causes[c] for c in of])[table.both].sum()) for of in self._groups.names
        ]
        nothing = ~np.logical_or.reduce([*table.causes.values(), ~table.both])
        return [
            retied,
            int(refailed.sum()),
            int((~table.shared).sum()),
            int(reordered.sum()),
            *unlike,
            int(nothing.sum()),
            len(table.own),
        ]


def _differ(a: FloatArray, b: FloatArray) -> npt.NDArray[np.bool_]:
    """Where two columns differ; two NaN are the same."""
    same: npt.NDArray[np.bool_] = (a == b) | (np.isnan(a) & np.isnan(b))
    return ~same


def _with_intervals(statistic: _Statistic, resamples: int, level: float, rng: np.random.Generator) -> Split:
    features = statistic.features
    totals = features.sum(axis=0)
    values = statistic(totals)
    sums, distinct, counts = resampled_totals(features, resamples, rng)
    draws, left_out = statistic(sums), statistic(totals - distinct)
    deviations = np.average(left_out, axis=0, weights=counts) - left_out
    spread = (counts[:, None] * deviations**2).sum(axis=0)
    skew = (counts[:, None] * deviations**3).sum(axis=0)
    carriers = statistic.carriers()
    parts = []
    for place, causes in enumerate([*statistic.names, ("whole",)]):
        of = draws[:, place][np.isfinite(draws[:, place])]
        interval = None
        if len(of) > 1 and np.ptp(of) > _VARIES and spread[place] > _VARIES**2:
            acceleration = float(skew[place] / (6 * spread[place] ** 1.5))
            interval = bca_of(of, float(values[place]), acceleration, level=level)
            if carriers[place] < FEW:
                interval = replace(interval, method=f"bca (rough: {_ids(carriers[place])} carry it)")
        value = float(values[place])
        parts.append(Part(causes, 0.0 if abs(value) < _VARIES else value, interval, carriers[place]))
    n = len(features)
    se = float(np.sqrt((n - 1) / n * spread[-1]))
    return Split(tuple(parts[:-1]), parts[-1], se)


def _ids(number: int) -> str:
    return "1 id" if number == 1 else f"{number} ids"
