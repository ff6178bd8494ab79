"""Many models on one scale: Bradley–Terry (or Davidson) ratings, with intervals and rank sets.

With one shared baseline a model's rating is the logit of its win rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats import bradley_terry
from alpaca_eval_suite.stats.bootstrap import bca_of
from alpaca_eval_suite.stats.bradley_terry import Fit, Games
from alpaca_eval_suite.stats.matches import Match, Table, model_names, table_of
from alpaca_eval_suite.stats.rank_sets import rank_sets, ranks
from alpaca_eval_suite.stats.units import ROUNDING
from alpaca_eval_suite.stats.win_rate import FEW
from alpaca_eval_suite.types import Interval

FloatArray = npt.NDArray[np.float64]

ELO = 400 / log(10)
"""Elo points to a unit of log-odds."""

_FEWEST = 0.95  # the least share of resamples that must hang together
_NAMED = 10  # models of a part that an error lists


@dataclass(frozen=True)
class Rating:
    """A model's log-odds over the anchor, its rank (1 the best) and simultaneous rank set.

    `n` counts the units with a value that it took part in, `n_failed` those without.
    """

    name: str
    rating: float
    ci: Interval
    rank: int
    rank_low: int
    rank_high: int
    n: int
    n_failed: int

    @property
    def elo(self) -> float:
        """The rating in Elo points."""
        return ELO * self.rating

    def as_json(self) -> dict[str, Any]:
        """The public form; `ci` is of the rating, `elo_ci` the same in Elo points."""
        return {
            "rating": self.rating,
            "elo": self.elo,
            "ci": self.ci.as_json(),
            "elo_ci": {**self.ci.as_json(), "low": ELO * self.ci.low, "high": ELO * self.ci.high},
            "rank": self.rank,
            "rank_low": self.rank_low,
            "rank_high": self.rank_high,
            "n": self.n,
            "n_failed": self.n_failed,
        }


@dataclass(frozen=True)
class Ranking:
    """The ratings, best first. `method` names the model and any prior; `notes` what else must be said."""

    anchor: str
    ratings: tuple[Rating, ...]
    method: str
    n_ids: int
    resamples: int
    tie_parameter: float | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        return {
            "anchor": self.anchor,
            "method": self.method,
            "n_ids": self.n_ids,
            "resamples": self.resamples,
            "tie_parameter": self.tie_parameter,
            "models": {rating.name: rating.as_json() for rating in self.ratings},
            "notes": list(self.notes),
        }


def rank(
    matches: Sequence[Match],
    *,
    davidson: bool = False,
    resamples: int = 2_000,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> Ranking:
    """The ratings of all models and baselines of the matches; the first baseline is the anchor at 0.

    Bradley–Terry with fractional responses (a tie is half a win), or Davidson's model, when all units are wins,
    ties or losses. Every resample draws ids, one draw for all matches, and refits; intervals are BCa, rank sets
    simultaneous at `level` (`rank_sets`). Where the bootstrap is known to fail both come from the model's own
    standard error, and the interval's `method` says so. Separated data are fitted with Jeffreys' prior, which the
    ranking's `method` says. `rng` is a seed or a generator.
    Raises SuiteError when there is nothing to rank, a match has no valid unit, or the models do not hang together;
    UsageError for a model against itself, or fractions with Davidson's model.
    """
    rng = np.random.default_rng(rng)
    names = model_names(matches)
    table = table_of(matches, names, ties_apart=davidson)
    observed = table.games(np.ones((1, table.n_ids)))
    _check_connected(observed, names)
    jeffreys = bool(bradley_terry.separated(observed, davidson=davidson)[0])
    estimate = bradley_terry.fit(observed, davidson=davidson, jeffreys=jeffreys)
    refitted, dropped = _refit(table, estimate, davidson, jeffreys, resamples, rng)
    theta = estimate.theta[0]
    weak, se = _weak(table, observed), _model_based_se(observed, estimate, davidson)
    for i in weak:
        refitted[:, i] = rng.normal(theta[i], se[i], len(refitted))
    sets = rank_sets(theta, refitted, level=level)
    intervals = _intervals(theta, refitted, _influence(table, observed, estimate, davidson), level)
    half = NormalDist().inv_cdf((1 + level) / 2) * se
    for i, why in weak.items():
        intervals[i] = Interval(float(theta[i] - half[i]), float(theta[i] + half[i]), level, f"wald (fall-back: {why})")
    intervals[0] = Interval(0.0, 0.0, level, "none: the anchor is 0 by definition")
    ratings = [
        Rating(name, float(theta[i]), intervals[i], place, sets.low[i], sets.high[i], counts.n, counts.n_failed)
        for i, (name, place, counts) in enumerate(zip(names, ranks(theta), table.counts, strict=True))
    ]
    return Ranking(
        anchor=names[0],
        ratings=tuple(sorted(ratings, key=lambda rating: (rating.rank, rating.name))),
        method=("davidson" if davidson else "bradley-terry") + (", jeffreys prior" if jeffreys else ""),
        n_ids=table.n_ids,
        resamples=len(refitted),
        tie_parameter=float(np.exp(estimate.delta[0])) if davidson else None,
        notes=_notes(observed, names, jeffreys, dropped),
    )


def _check_connected(observed: Games, names: list[str]) -> None:
    parts = bradley_terry.connected_parts(observed)
    if parts.max() == 0:
        return
    members = [[name for name, part in zip(names, parts, strict=True) if part == i] for i in range(parts.max() + 1)]
    listed = "; ".join(", ".join(part[:_NAMED]) + (", …" if len(part) > _NAMED else "") for part in members)
    raise SuiteError(
        f"the models fall into {len(members)} parts that were never compared with each other: {listed}",
        next_step="Rank each part for itself, or judge a model of one part against a model of another.",
    )


def _weak(table: Table, observed: Games) -> dict[int, str]:
    """The models, by number, on which the bootstrap is known to fail, and why; never the anchor.

    Those with few wins or few losses, and those on which the data put no finite bound: their resamples hardly
    vary, so their intervals and rank sets are made from the standard error of the model.
    """
    parts = bradley_terry.strong_parts(observed)
    found = {}
    for i, counts in enumerate(table.counts[1:], 1):
        if min(counts.wins, counts.losses) < FEW:
            found[i] = f"{counts.wins} wins and {counts.losses} losses, BCa needs {FEW} of each"
        elif parts[i] != parts[0]:
            found[i] = "nothing but wins, or nothing but losses, between it and the anchor"
    return found


def _model_based_se(observed: Games, estimate: Fit, davidson: bool) -> FloatArray:
    matrix = bradley_terry.information(observed, estimate, davidson=davidson)[0]
    of_parameters = np.sqrt(np.diag(np.linalg.inv(matrix)))
    return np.concatenate([[0.0], of_parameters[: observed.n_models - 1]])


def _refit(
    table: Table, estimate: Fit, davidson: bool, jeffreys: bool, resamples: int, rng: np.random.Generator
) -> tuple[FloatArray, int]:
    """The ratings in each resample of the ids, and how many resamples were dropped as not connected."""
    weights = rng.multinomial(table.n_ids, np.full(table.n_ids, 1 / table.n_ids), size=resamples).astype(np.float64)
    games = table.games(weights)
    kept = ~bradley_terry.disconnected(games)
    if kept.mean() < _FEWEST:
        raise SuiteError(
            "too few ids hold the models together: in more than 5 % of the resamples they fall into parts",
            next_step="Judge the models that link the parts on more instructions.",
        )
    games = games.part(kept)
    theta = np.empty((len(games.n), table.n_models))
    with_prior = np.full(len(games.n), jeffreys) | bradley_terry.separated(games, davidson=davidson)
    for prior in (False, True):
        which = with_prior == prior
        if which.any():
            theta[which] = bradley_terry.fit(games.part(which), davidson=davidson, jeffreys=prior, start=estimate).theta
    return theta, int((~kept).sum())


def _influence(table: Table, observed: Games, estimate: Fit, davidson: bool) -> FloatArray:
    """How much each id moves each rating, to first order: the information's inverse times the id's score."""
    s, t = bradley_terry.expected(observed, estimate, davidson=davidson)
    scores = np.zeros((table.n_ids, table.n_models))
    residuals = table.score - table.n * s
    for p, (i, j) in enumerate(zip(table.first, table.second, strict=True)):
        scores[:, i] += residuals[:, p]
        scores[:, j] -= residuals[:, p]
    if davidson:
        of_ties = (table.ties - table.n * t).sum(axis=1, keepdims=True)
        scores = np.concatenate([scores, of_ties], axis=1)
    matrix = bradley_terry.information(observed, estimate, davidson=davidson)[0]
    moved = np.zeros((table.n_ids, table.n_models))
    moved[:, 1:] = np.linalg.solve(matrix, scores[:, 1:].T).T[:, : table.n_models - 1]
    return moved


def _intervals(theta: FloatArray, refitted: FloatArray, influence: FloatArray, level: float) -> list[Interval]:
    """Efron's (1987) BCa interval of each rating, with the acceleration from the influence of the ids."""
    cubes, squares = (influence**3).sum(axis=0), (influence**2).sum(axis=0)
    acceleration = np.divide(cubes, 6 * squares**1.5, out=np.zeros_like(cubes), where=squares > 0)
    return [
        bca_of(resampled, float(of), float(a), level=level)
        for resampled, of, a in zip(refitted.T, theta, acceleration, strict=True)
    ]


def _notes(observed: Games, names: list[str], jeffreys: bool, dropped: int) -> tuple[str, ...]:
    notes = []
    if jeffreys:
        swept = [
            f"{names[winner]} over {names[loser]}"
            for i, j, n, score in zip(observed.first, observed.second, observed.n[0], observed.score[0], strict=True)
            if n > 0 and n / 2 - abs(score) <= ROUNDING
            for winner, loser in [(i, j) if score > 0 else (j, i)]
        ]
        listed = f" (every unit won: {', '.join(swept[:_NAMED])})" if swept else ""
        notes.append(f"separated data{listed}: the ratings are finite by Jeffreys' prior alone")
    if dropped:
        notes.append(f"{dropped} resamples in which the models did not hang together were left out")
    return tuple(notes)
