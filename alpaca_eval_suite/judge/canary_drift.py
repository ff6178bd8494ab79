"""Whether a judge says of the same few pairs what it said before: one run of the canary against the earlier ones.

>>> before = CanaryRun("2026-01-01", {"a:model_first": 1.0, "b:model_first": 0.0})
>>> found = drift([before], CanaryRun("2026-02-01", {"a:model_first": 0.0, "b:model_first": 0.0}))
>>> print(found.message())
canary: 1 of 2 questions answered otherwise than on 2026-01-01; 1 earlier run, 4 are needed to tell change from wavering
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.sign_flip import sign_flip
from alpaca_eval_suite.stats.units import ROUNDING, TIE

FloatArray = npt.NDArray[np.float64]

LEAST_RUNS = 4
"""With fewer earlier runs nobody knows how far the judge wavers, and no change is called one."""

ALPHA = 0.01
"""At a lower p value the judge has changed. Small, because it is looked at with every run."""

_DRAWS = 10_000


@dataclass(frozen=True)
class CanaryRun:
    """One time that a judge was asked the canary's questions: how far the output shown first was preferred, by
    question (pair and order), None where it failed; and by which model the server says it answered."""

    date: str
    values: Mapping[str, float | None]
    served_ids: tuple[str, ...] = ()
    system_fingerprints: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Change:
    """This run against one earlier one, of `date`, over the `n` questions with a verdict in both.

    `flips`: how many verdicts are on another side (first, second, tie). `mean_change`: the mean of |now − then|.
    `first_shift`: the mean of now − then, a liking for the first place that grew or shrank, and `p_value` that of the
    sign-flip test that it is 0 (McNemar's exact test where all are 0 or 1). None where n is 0.
    """

    date: str
    n: int
    flips: int
    mean_change: float | None
    first_shift: float | None
    p_value: float | None


@dataclass(frozen=True)
class Drift:
    """One run of the canary against the `n_earlier` ones of the same judge.

    `wavering`: the mean share of flips between neighbouring earlier runs. `changed` says whether this run is further
    from the earlier ones than they are from each other, None with too few of them; `p_value` is that of the test.
    `served` and `fingerprints` hold the earlier and the present ones where they differ, else None. `cost` is what
    asking cost, in USD.
    """

    date: str
    n_questions: int
    n_failed: int
    n_earlier: int
    since_first: Change | None = None
    since_last: Change | None = None
    wavering: float | None = None
    changed: bool | None = None
    p_value: float | None = None
    served: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    fingerprints: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    cost: float = field(default=0.0, compare=False)

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        return asdict(self)

    def message(self) -> str:
        """For a person, in a line."""
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        if self.since_last is None:
            return f"canary: the first run of this judge; {self.n_questions} questions kept to compare with{failed}"
        last = self.since_last
        parts = [f"{last.flips} of {last.n} questions answered otherwise than on {last.date[:10]}{failed}"]
        if self.since_first is not None and self.since_first.date != last.date:
            first = self.since_first
            parts.append(f"{first.flips} of {first.n} otherwise than on {first.date[:10]}")
        if self.served is not None:
            parts.append(f"the server names another model ({_named(self.served)})")
        if self.fingerprints is not None:
            parts.append(f"its system fingerprint changed ({_named(self.fingerprints)})")
        parts.append(self._verdict())
        return f"canary: {'; '.join(parts)}"

    def _verdict(self) -> str:
        if self.changed is None:
            runs = f"{self.n_earlier} earlier run{'s' * (self.n_earlier != 1)}"
            return f"{runs}, {LEAST_RUNS} are needed to tell change from wavering"
        usual = "" if self.wavering is None else f" ({100 * self.wavering:.0f} % between two earlier runs)"
        if not self.changed:
            return f"no more than it wavers anyway{usual}"
        return f"THE JUDGE HAS CHANGED: that is more than it wavers{usual}, p {self.p_value:.4f}"


def drift(history: Sequence[CanaryRun], now: CanaryRun, *, draws: int = _DRAWS, rng: int = 0) -> Drift:
    """`now` against the earlier runs in `history`, oldest first, all by one judge on the same pairs.

    The yardstick is the judge's own wavering, since hosted judges waver at temperature 0 too: while nothing changes,
    the answers to one question come from the same source in all runs, so that each of them could as well have been
    today's. The test draws, for each question on its own, which of the runs is today's; its statistic is the sum over
    questions of |today − mean of the others|. It is exact but for the drawing (Phipson and Smyth 2010).
    """
    n_failed = sum(value is None for value in now.values.values())
    if not history:
        return Drift(now.date, len(now.values), n_failed, 0)
    p_value = _p_value([*history, now], draws, rng) if len(history) >= LEAST_RUNS else None
    last = history[-1]
    return Drift(
        date=now.date,
        n_questions=len(now.values),
        n_failed=n_failed,
        n_earlier=len(history),
        since_first=_change(history[0], now, rng),
        since_last=_change(last, now, rng),
        wavering=_wavering(history),
        changed=None if p_value is None else p_value <= ALPHA,
        p_value=p_value,
        served=_moved(last.served_ids, now.served_ids),
        fingerprints=_moved(last.system_fingerprints, now.system_fingerprints),
    )


def _change(then: CanaryRun, now: CanaryRun, rng: int) -> Change:
    before, after = _both(then, now)
    differences = after - before
    differences[np.abs(differences) < ROUNDING] = 0.0
    n = len(differences)
    if not n:
        return Change(then.date, 0, 0, None, None, None)
    return Change(
        date=then.date,
        n=n,
        flips=int((_side(before) != _side(after)).sum()),
        mean_change=float(np.abs(differences).mean()),
        first_shift=float(differences.mean()),
        p_value=sign_flip(differences, rng=rng).p_value,
    )


def _both(then: CanaryRun, now: CanaryRun) -> tuple[FloatArray, FloatArray]:
    pairs = [(then.values.get(key), value) for key, value in sorted(now.values.items())]
    table = np.array([(a, b) for a, b in pairs if a is not None and b is not None], dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _side(values: FloatArray) -> FloatArray:
    sides: FloatArray = np.where(np.abs(values - TIE) < ROUNDING, 0.0, np.sign(values - TIE))
    return sides


def _wavering(history: Sequence[CanaryRun]) -> float | None:
    shares = []
    for then, next_ in pairwise(history):
        before, after = _both(then, next_)
        if len(before):
            shares.append(float((_side(before) != _side(after)).mean()))
    return float(np.mean(shares)) if shares else None


def _p_value(runs: Sequence[CanaryRun], draws: int, rng: int) -> float | None:
    """Of the last run; None where no question has enough verdicts."""
    generator = np.random.default_rng(rng)
    observed, drawn, used = 0.0, np.zeros(draws), 0
    for key, today in sorted(runs[-1].values.items()):
        values = np.array([value for run in runs if (value := run.values.get(key)) is not None], dtype=np.float64)
        if today is None or len(values) <= LEAST_RUNS:
            continue
        used += 1
        others = (values.sum() - values) / (len(values) - 1)
        distances = np.abs(values - others)
        observed += distances[-1]
        if np.ptp(distances) < ROUNDING:
            drawn += distances[-1]  # whichever run it is
        else:
            drawn += distances[generator.integers(len(values), size=draws)]
    if not used:
        return None
    return float((1 + np.count_nonzero(drawn >= observed - ROUNDING * used)) / (1 + draws))


def _moved(before: tuple[str, ...], now: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Both, where both are known and have nothing in common: a service may run two versions side by side."""
    return (before, now) if before and now and not set(before) & set(now) else None


def _named(both: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    return " before, now ".join(", ".join(names) for names in both)
