"""Two entries of what should be the same: why their rates differ, and what the data do not tell."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import hypot, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from alpaca_eval_suite.leaderboard.board import row_key
from alpaca_eval_suite.leaderboard.difference.choosing import Choice, read_sides
from alpaca_eval_suite.leaderboard.difference.limits import RECORD, Known, limits
from alpaca_eval_suite.leaderboard.difference.noise import (
    Noise,
    noise_of,
    normal_interval,
    recorded_noise,
    recorded_se,
)
from alpaca_eval_suite.leaderboard.difference.recorded import Recorded, recorded, same_judge
from alpaca_eval_suite.leaderboard.difference.sides import Side
from alpaca_eval_suite.leaderboard.difference.split import NOISE, STEPS, Part, Split, Table, split
from alpaca_eval_suite.leaderboard.difference.tabulate import CAUSES, Tabulated, tabulate
from alpaca_eval_suite.leaderboard.difference.texts import Texts
from alpaca_eval_suite.leaderboard.difference.verdicts import Verdicts, compare_verdicts, first_shown
from alpaca_eval_suite.stats.units import ROUNDING
from alpaca_eval_suite.types import Interval, Rate


@dataclass(frozen=True)
class Explanation:
    """The difference of two recorded rates (mine less published) and its parts, which add up to it.

    `texts`, `n_ids` and `first_shown` are empty, and `verdicts` is None, where an entry holds no raw verdicts.
    `unknown`: what the data do not tell, a sentence each.
    """

    mine: Side
    published: Side
    interval: Interval | None
    parts: tuple[Part, ...]
    noise: Noise
    recorded: tuple[Recorded, ...]
    unknown: tuple[str, ...]
    n_ids: Mapping[str, int]
    texts: Mapping[str, Texts]
    verdicts: Verdicts | None
    first_shown: Mapping[str, Rate | None]

    @property
    def difference(self) -> float:
        """Mine less published, as a fraction."""
        return self.mine.value - self.published.value

    def as_json(self) -> dict[str, Any]:
        """The public form: fractions, intervals {"low", "high", "level", "method"}."""
        return {
            "rate": self.mine.row.kind.headline,
            "mine": _side_json(self.mine),
            "published": _side_json(self.published),
            "difference": self.difference,
            "ci": self.interval.as_json() if self.interval else None,
            "noise": self.noise.as_json(),
            "n_ids": dict(self.n_ids),
            "parts": [part.as_json() for part in self.parts],
            "texts": {name: of.as_json() for name, of in self.texts.items()},
            "verdicts": self.verdicts.as_json() if self.verdicts else None,
            "first_shown": {name: of.as_json() if of else None for name, of in self.first_shown.items()},
            "recorded": [one.as_json() for one in self.recorded],
            "unknown": list(self.unknown),
        }


def explain(mine: Path, published: Path, choice: Choice | None = None, *, seed: int = 0) -> Explanation:
    """Why the rate in the entry `mine` is not that in the entry `published`.

    Raises SuiteError for a file that is no entry, UsageError where it is not clear which runs are meant.
    """
    a, b = read_sides(mine, published, choice or Choice())
    if a.items is None:
        return _of_records(a, b)
    if b.items is None:
        return _of_mine_alone(a, b, seed)
    found = tabulate(a, b)
    try:
        parts = split(found.table, rng=seed)
    except ValueError:
        # All of one run failed, or are ties that the other's rule leaves out: there is no rate to go through.
        return _of_records(a, b)
    return _of_both(a, b, found, parts, seed)


def _of_both(a: Side, b: Side, found: Tabulated, of: Split, seed: int) -> Explanation:
    gap = _gap(a.value - b.value - of.whole.value)
    parts = (gap, *of.parts)
    interval = of.whole.interval
    return Explanation(
        mine=a,
        published=b,
        interval=replace(interval, low=interval.low + gap.value, high=interval.high + gap.value) if interval else None,
        parts=parts,
        noise=noise_of(found.table, of, seed),
        recorded=tuple(recorded(a.run, b.run)),
        unknown=limits(Known(a, b, parts, found.judge, found.texts, found.n_other_orders, len(found.both))),
        n_ids={
            "mine": len(a.values),
            "published": len(b.values),
            "shared": len(found.shared),
            "counted_in_both": len(found.both),
        },
        texts=found.texts,
        verdicts=compare_verdicts(*found.alike, found.same_pairs) if found.same_pairs else None,
        first_shown={"mine": first_shown(a), "published": first_shown(b)},
    )


def _of_records(a: Side, b: Side) -> Explanation:
    """Nothing can be told apart."""
    noise, interval = recorded_noise(a, b)
    whole = Part((*STEPS, *CAUSES, NOISE), a.value - b.value, interval, 0)
    return _without_raw(a, b, (whole,), noise, interval)


def _of_mine_alone(a: Side, b: Side, seed: int) -> Explanation:
    """What the published rule for ties does to mine; everything else is one part, as of two samples."""
    units = np.array(list(a.values.values()))
    own, ties = a.rule.apply(units), replace(a.rule, ties=b.rule.ties).apply(units)
    n = int((~np.isnan(ties)).sum())
    if n < 2 or np.isnan(own).all():
        return _of_records(a, b)
    noise, interval = recorded_noise(a, b)
    # Nothing is known of the other run but its rate: it is the same for every id.
    flat, never = np.full(len(units), b.value), np.zeros(len(units), dtype=np.bool_)
    of_ties = split(Table(own, ties, ties, flat, never, ties, flat, {}), rng=seed).parts[0]
    rest, se = float(np.nanmean(ties)) - b.value, recorded_se(b)
    errors = hypot(float(np.nanstd(ties, ddof=1)) / sqrt(n), se) if se is not None else None
    of_rest = Part((*STEPS[1:], *CAUSES, NOISE), rest, normal_interval(rest, errors) if errors is not None else None, n)
    return _without_raw(a, b, (_gap(a.value - float(np.nanmean(own))), of_ties, of_rest), noise, interval)


def _gap(value: float) -> Part:
    """What of the recorded rates does not follow from the raw verdicts."""
    return Part((RECORD,), value if abs(value) > ROUNDING else 0.0, None, 0)


def _without_raw(a: Side, b: Side, parts: tuple[Part, ...], noise: Noise, interval: Interval | None) -> Explanation:
    unknown = limits(Known(a, b, parts, same_judge(a.run, b.run)))
    return Explanation(a, b, interval, parts, noise, tuple(recorded(a.run, b.run)), unknown, {}, {}, None, {})


def _side_json(side: Side) -> dict[str, Any]:
    run, rule = side.run, side.known_rule
    return {
        "file": str(side.path),
        "run": row_key(side.row),
        "model": side.row.model,
        "scenario": run.scenario.name,
        "baseline": run.baseline.name if run.baseline else None,
        "judge": run.judge.name if run.judge else None,
        "source": run.source,
        "date": run.date,
        "rate": side.rate.model_dump(mode="json"),
        "counting": {"ties": rule.ties, "failures": rule.failures} if rule else None,
        "raw": side.items is not None,
    }
