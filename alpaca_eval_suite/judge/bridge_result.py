"""What a bridge between two judges holds, OLD and NEW: figures, each with its interval, and their public form."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from alpaca_eval_suite.judge.bridge_line import Converted, Line
from alpaca_eval_suite.judge.bridge_rates import RankAgreement
from alpaca_eval_suite.stats.totals import Estimate

Side = Literal["old", "new"]

SIDES = ("win", "tie", "loss")
"""Rows (OLD's) and columns (NEW's) of the confusion matrix: which output is preferred."""


@dataclass(frozen=True)
class RateOf:
    """The win rate that one judge (`of`) would give on all `n` ids that the other judged, with the anchor's help.

    `judged`: the other's own rate on them; `tuning`: the weight λ of its verdicts; `n_failed` of these count 0.5.
    """

    of: Side
    n: int
    n_failed: int
    estimate: Estimate
    judged: Estimate
    tuning: float

    def as_json(self) -> dict[str, Any]:
        """Rates are fractions."""
        return {
            "of": self.of,
            "n": self.n,
            "n_failed": self.n_failed,
            "win_rate": self.estimate.as_json(),
            "judged": self.judged.as_json(),
            "lambda": self.tuning,
        }


@dataclass(frozen=True)
class ModelBridge:
    """One model on the anchor: both judges' rates over the units with a value of both, NEW − OLD, and `converted`.

    `n_failed`: units of the anchor of which a judge's verdict failed. `converted` is empty where both judges were
    asked about the same ids.
    """

    model: str
    baseline: str
    n: int
    n_failed: int
    old: Estimate
    new: Estimate
    difference: Estimate
    converted: tuple[RateOf, ...]

    def as_json(self) -> dict[str, Any]:
        """Rates are fractions."""
        return {
            "model": self.model,
            "baseline": self.baseline,
            "n": self.n,
            "n_failed": self.n_failed,
            "old": self.old.as_json(),
            "new": self.new.as_json(),
            "difference": self.difference.as_json(),
            "converted": [one.as_json() for one in self.converted],
        }


@dataclass(frozen=True)
class Slice:
    """NEW − OLD in one slice; `p_value` is the sign-flip test's over ids, `p_holm` adjusted for all slices."""

    key: str
    value: str
    difference: Estimate
    p_value: float
    p_holm: float

    def as_json(self) -> dict[str, Any]:
        """The difference is a fraction."""
        return {
            "key": self.key,
            "value": self.value,
            "difference": self.difference.as_json(),
            "p_value": self.p_value,
            "p_holm": self.p_holm,
        }


@dataclass(frozen=True, eq=False)
class Bridge:
    """Two judges of the same pairs. Every interval resamples ids, with all models of an id together.

    `difference`: NEW − OLD over all units of the anchor. `agreement`: the share of units on which both prefer the
    same output. `confusion[i][j]`: the share of units that OLD called SIDES[i] and NEW SIDES[j]. `line` is None where
    there is none, for which `no_line` gives the reason.
    """

    models: tuple[ModelBridge, ...]
    n_ids: int
    n_units: int
    difference: Estimate
    agreement: Estimate
    kappa: Estimate
    confusion: tuple[tuple[Estimate, ...], ...]
    slices: tuple[Slice, ...]
    ranks: RankAgreement
    line: Line | None
    no_line: str

    def convert(self, rate: float) -> Converted | Estimate:
        """OLD's `rate` (between 0 and 1) as NEW would give it: by the line, else moved by the mean difference.

        The latter is an Estimate. It is as if all models moved alike, which fewer than five cannot show.
        """
        if self.line is not None:
            return self.line.convert(rate)
        moved = self.difference
        if moved.value is None:
            return moved
        ends = moved.ci and replace(moved.ci, low=_cut(rate + moved.ci.low), high=_cut(rate + moved.ci.high))
        return Estimate(_cut(rate + moved.value), ends, moved.n, self.no_line)

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        return {
            "n_ids": self.n_ids,
            "n_units": self.n_units,
            "models": [one.as_json() for one in self.models],
            "difference": self.difference.as_json(),
            "agreement": self.agreement.as_json(),
            "kappa": self.kappa.as_json(),
            "confusion": {
                old: {new: share.as_json() for new, share in zip(SIDES, row, strict=True)}
                for old, row in zip(SIDES, self.confusion, strict=True)
            },
            "slices": [one.as_json() for one in self.slices],
            "ranks": self.ranks.as_json(),
            "line": self.line.as_json() if self.line else None,
            "no_line": self.no_line,
        }


def _cut(share: float) -> float:
    return min(1.0, max(0.0, share))
