"""How a rate counts ties and failures: the rule that a recorded rate was made with, and values under another rule.

>>> Rule("lost", "left_out").apply(np.array([1.0, 0.5, np.nan]))
array([ 1.,  0., nan])
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.leaderboard.record import RateRecord
from alpaca_eval_suite.stats.units import ROUNDING, TIE

FloatArray = npt.NDArray[np.float64]

Ties = Literal["half", "left_out", "lost", "won"]
Failures = Literal["left_out", "lost", "half"]

_PUBLISHED = 6e-5
"""A published rate is often rounded to a hundredth of a point; one tie in 805 moves it ten times further."""

_WORDS = {"half": "half a win", "left_out": "left out", "lost": "lost", "won": "won"}
_VALUE: dict[str, float] = {"half": TIE, "left_out": float("nan"), "lost": 0.0, "won": 1.0}


@dataclass(frozen=True)
class Rule:
    """What a tie and a failed unit count as."""

    ties: Ties
    failures: Failures

    def apply(self, units: FloatArray) -> FloatArray:
        """The units (NaN: failed) as this rule counts them; NaN where it leaves one out."""
        tied = np.abs(units - TIE) < ROUNDING
        return np.where(np.isnan(units), _VALUE[self.failures], np.where(tied, _VALUE[self.ties], units))

    def words(self) -> str:
        """The rule as people say it."""
        return f"ties {_WORDS[self.ties]}, failures {_WORDS[self.failures]}"


HOUSE = Rule("half", "left_out")
"""How this suite counts, and what is taken where another rule gives the same rate."""


def rule_of_units(units: FloatArray, recorded: RateRecord) -> Rule | None:
    """The rule under which the units give the recorded rate, None where none does."""
    for rule in _rules():
        counted = rule.apply(units)
        known = counted[~np.isnan(counted)]
        if len(known) and recorded.value is not None and abs(float(known.mean()) - recorded.value) < ROUNDING:
            return rule
    return None


def rule_of_counts(published: Mapping[str, Any] | None) -> Rule | None:
    """The rule that follows from the counts of a published win rate (its JSON), None where they do not tell.

    Of a judge that gives fractions of a win the counts give no rate, so that they do not tell.
    """
    counts = [(published or {}).get(key) for key in ("win_rate", "wins", "losses", "ties", "n_failed")]
    if any(count is None for count in counts):
        return None
    rate, wins, losses, ties, failed = (float(count) for count in counts if count is not None)
    numbers = np.array([wins, losses, ties, failed])
    for rule in _rules():
        counted = rule.apply(np.array([1.0, 0.0, TIE, np.nan]))
        kept = ~np.isnan(counted)
        if numbers[kept].sum() and abs(float(np.average(counted[kept], weights=numbers[kept])) - rate) < _PUBLISHED:
            return rule
    return None


def _rules() -> Iterator[Rule]:
    """All rules, the house's first."""
    for ties, failures in product(get_args(Ties), get_args(Failures)):
        yield Rule(ties, failures)
