"""Matches of models as arrays: every unit by its id and its pair of models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.stats.bradley_terry import Games
from alpaca_eval_suite.stats.units import ROUNDING, TIE, Units

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Match:
    """The units of `model` against `baseline`."""

    model: str
    baseline: str
    units: Units


@dataclass(frozen=True)
class Counts:
    """A model's units: with a value and without, and those that it won and lost."""

    n: int = 0
    n_failed: int = 0
    wins: int = 0
    losses: int = 0


@dataclass(frozen=True)
class Table:
    """All units by id (axis 0) and pair of models (axis 1): sums of win − ½, ties, and how many."""

    first: IntArray
    second: IntArray
    n_models: int
    score: FloatArray
    ties: FloatArray
    n: FloatArray
    counts: tuple[Counts, ...]

    @property
    def n_ids(self) -> int:
        return len(self.n)

    def games(self, weights: FloatArray) -> Games:
        """The games in which each id counts as often as a row of `weights` says."""
        score, ties, n = weights @ self.score, weights @ self.ties, weights @ self.n
        return Games(self.first, self.second, self.n_models, score, ties, n)


def model_names(matches: Sequence[Match]) -> list[str]:
    """All models, the first baseline first. Raises SuiteError without matches, UsageError for one with itself."""
    if not matches:
        raise SuiteError("there is nothing to rank", next_step="Give at least one file of verdicts.")
    names = {matches[0].baseline: None}
    for match in matches:
        if match.model == match.baseline:
            raise UsageError(f"{match.model!r} is compared with itself", next_step="Give the two different names.")
        names |= {match.model: None, match.baseline: None}
    return list(names)


def table_of(matches: Sequence[Match], names: Sequence[str], *, ties_apart: bool) -> Table:
    """The table of the matches, models numbered as in `names`.

    Raises SuiteError for a match without a valid unit, and, where ties count apart, UsageError for fractions.
    """
    number = {name: i for i, name in enumerate(names)}
    row = {id_: i for i, id_ in enumerate(sorted({id_ for match in matches for id_ in match.units.ids}))}
    pairs = sorted({_pair(match, number) for match in matches})
    column = {pair: p for p, pair in enumerate(pairs)}
    score, ties, n = (np.zeros((len(row), len(pairs))) for _ in range(3))
    for match in matches:
        _check_units(match, ties_apart)
        values, p = match.units.values, column[_pair(match, number)]
        rows = np.array([row[id_] for id_ in match.units.ids], dtype=np.int64)
        valid = ~np.isnan(values)
        sign = 1.0 if number[match.model] < number[match.baseline] else -1.0
        score[rows[valid], p] += sign * (values[valid] - TIE)
        ties[rows[valid], p] += np.abs(values[valid] - TIE) < ROUNDING
        n[rows[valid], p] += 1
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return Table(first, second, len(names), score, ties, n, tuple(_counts(matches, name) for name in names))


def _check_units(match: Match, ties_apart: bool) -> None:
    named = f"{match.model} against {match.baseline}"
    if match.units.n == 0:
        raise SuiteError(f"{named} has no unit with a value", next_step="Leave it out, or judge it again.")
    if ties_apart and not np.isin(match.units.valid, (0.0, TIE, 1.0)).all():
        raise UsageError(
            f"{named} holds fractions of a win; Davidson's model needs wins, ties and losses",
            next_step="Leave --davidson out: a fraction then counts as that much of a win.",
        )


def _counts(matches: Sequence[Match], name: str) -> Counts:
    own = [match.units for match in matches if match.model == name]
    against = [match.units for match in matches if match.baseline == name]
    return Counts(
        n=sum(units.n for units in own + against),
        n_failed=sum(units.n_failed for units in own + against),
        wins=sum(units.wins for units in own) + sum(units.losses for units in against),
        losses=sum(units.losses for units in own) + sum(units.wins for units in against),
    )


def _pair(match: Match, number: dict[str, int]) -> tuple[int, int]:
    a, b = number[match.model], number[match.baseline]
    return (a, b) if a < b else (b, a)
