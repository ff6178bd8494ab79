"""How far people agree with each other, and judges with people; each statistic with its interval over items.

>>> found = agreement(Ratings.of({"a": {"x": 1, "y": 1}, "b": {"x": 2, "y": 2}}, judges={"j": {"a": 1, "b": 1}}))
>>> found.percent_agreement.estimate, found.judges["j"].accuracy_all.estimate
(1.0, 0.5)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.kappa import (
    cohen,
    cohen_features,
    fleiss,
    fleiss_features,
    krippendorff,
    krippendorff_features,
    label_counts,
    pair_agreement,
)
from alpaca_eval_suite.stats.proportion import mean_rate
from alpaca_eval_suite.stats.ratings import Ratings
from alpaca_eval_suite.stats.totals import Estimate, Statistic, of_totals
from alpaca_eval_suite.types import Rate

FloatArray = npt.NDArray[np.float64]

_Share = Callable[[FloatArray], Rate]
_Kappa = Callable[[FloatArray, Statistic], Estimate]

FEW_RATERS = 10
"""With fewer people than this nothing is said of people at large."""


@dataclass(frozen=True)
class JudgeAgreement:
    """A judge against the majority of people.

    `accuracy_all` counts failures wrong, `accuracy_valid` leaves them out, `cohen_kappa` is over valid verdicts.
    `informative`: the lower end of `accuracy_all` is above every control that does not look at what is said.
    """

    accuracy_all: Rate
    accuracy_valid: Rate
    cohen_kappa: Estimate
    informative: bool | None

    def as_json(self) -> dict[str, Any]:
        """Plain figures, their intervals under "ci"."""
        rates = {"accuracy_all": self.accuracy_all, "accuracy_valid": self.accuracy_valid}
        intervals = {name: rate.interval for name, rate in rates.items()} | {"cohen_kappa": self.cohen_kappa.ci}
        return {
            "n": self.accuracy_all.n,
            "n_failed": self.accuracy_valid.n_failed,
            **{name: rate.estimate for name, rate in rates.items()},
            "cohen_kappa": self.cohen_kappa.value,
            "ci": {name: interval.as_json() if interval else None for name, interval in intervals.items()},
            "reason": self.cohen_kappa.reason,
            "informative": self.informative,
        }


@dataclass(frozen=True)
class Agreement:
    """Agreement among people (`raters`: each one's leave-one-out agreement) and of judges with their majority.

    `ceiling` is the mean leave-one-out agreement: what a judge can hope for. `controls` are the accuracies of
    judges who do not read. `n_no_majority` items have no single most frequent label, and judge nobody.
    """

    n_items: int
    n_raters: int
    n_no_majority: int
    percent_agreement: Rate
    cohen_kappa: Estimate
    fleiss_kappa: Estimate
    krippendorff_alpha: Estimate
    ceiling: Rate
    raters: Mapping[str, Rate]
    judges: Mapping[str, JudgeAgreement]
    controls: Mapping[str, float | None]
    note: str

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        return {
            "n_items": self.n_items,
            "n_raters": self.n_raters,
            "n_no_majority": self.n_no_majority,
            "percent_agreement": self.percent_agreement.as_json(),
            "cohen_kappa": self.cohen_kappa.as_json(),
            "fleiss_kappa": self.fleiss_kappa.as_json(),
            "krippendorff_alpha": self.krippendorff_alpha.as_json(),
            "ceiling": self.ceiling.as_json(),
            "raters": {name: {"leave_one_out": rate.as_json()} for name, rate in self.raters.items()},
            "judges": {name: judge.as_json() for name, judge in self.judges.items()},
            "controls": dict(self.controls),
            "note": self.note,
        }


def agreement(
    ratings: Ratings, *, resamples: int = 10_000, level: float = 0.95, rng: int | np.random.Generator = 0
) -> Agreement:
    """All statistics of agreement of the ratings. Intervals resample items, with the raters fixed.

    `rng` is a seed or a generator.
    """
    rng = np.random.default_rng(rng)
    labels, counts = ratings.labels, label_counts(ratings.labels)

    def share(of_items: FloatArray) -> Rate:
        return mean_rate(of_items, resamples=resamples, level=level, rng=rng)

    def kappa(features: FloatArray, statistic: Statistic) -> Estimate:
        return of_totals(features, statistic, resamples=resamples, level=level, rng=rng)

    several = counts.sum(axis=1) >= 2
    alone = [_leave_one_out(labels, rater) for rater in range(len(ratings.raters))]
    majority = majorities(counts)
    controls = _controls(majority, ratings.longer)
    judges = {}
    for name, given in ratings.judge_labels.items():
        judges[name] = _judge(given, majority, controls, share, kappa)
    return Agreement(
        n_items=len(ratings.items),
        n_raters=len(ratings.raters),
        n_no_majority=int(np.isnan(majority).sum()),
        percent_agreement=share(pair_agreement(counts)[several]),
        cohen_kappa=_cohen(labels, kappa),
        fleiss_kappa=_fleiss(counts, kappa),
        krippendorff_alpha=kappa(krippendorff_features(counts[several]), krippendorff),
        ceiling=share(_mean_of_known(np.column_stack(alone))),
        raters={name: share(own[~np.isnan(own)]) for name, own in zip(ratings.raters, alone, strict=True)},
        judges=judges,
        controls=controls,
        note=_note(len(ratings.raters)),
    )


def majorities(counts: FloatArray) -> FloatArray:
    """The most frequent label of each item, NaN where two are equally frequent or there is none."""
    most = counts.max(axis=1)
    single = (counts == most[:, None]).sum(axis=1) == 1
    return np.where(single & (most > 0), counts.argmax(axis=1).astype(np.float64), np.nan)


def _leave_one_out(labels: FloatArray, rater: int) -> FloatArray:
    """The rater's agreement with the most frequent label of the others, NaN without a label or others.

    Where k labels are equally frequent, having one of them counts 1/k: the mean of drawing one at random.
    """
    own = labels[:, rater]
    others = label_counts(np.delete(labels, rater, axis=1))
    most = others.max(axis=1)
    modes = others == most[:, None]
    known = ~np.isnan(own) & (most > 0)
    place = np.where(known, own, 0.0).astype(np.int64)
    credit = modes[np.arange(len(own)), place] / np.maximum(modes.sum(axis=1), 1)
    return np.where(known, credit, np.nan)


def _mean_of_known(values: FloatArray) -> FloatArray:
    """The mean of each row's values, rows without any left out."""
    known = ~np.isnan(values)
    rows = known.any(axis=1)
    means: FloatArray = np.nansum(values[rows], axis=1) / known[rows].sum(axis=1)
    return means


def _cohen(labels: FloatArray, kappa: _Kappa) -> Estimate:
    if labels.shape[1] != 2:
        return Estimate(None, None, 0, f"needs two raters, not {labels.shape[1]}")
    both = ~np.isnan(labels).any(axis=1)
    return kappa(cohen_features(labels[both, 0], labels[both, 1]), cohen)


def _fleiss(counts: FloatArray, kappa: _Kappa) -> Estimate:
    raters = sorted({int(number) for number in counts.sum(axis=1)})
    if len(raters) != 1:
        return Estimate(None, None, 0, f"needs equally many raters an item, not {', '.join(map(str, raters))}")
    if raters[0] < 2:
        return Estimate(None, None, 0, "needs two raters an item")
    return kappa(fleiss_features(counts), fleiss)


def _controls(majority: FloatArray, longer: FloatArray) -> dict[str, float | None]:
    """How often judges who do not read agree with the majority; a coin never says tie."""
    known = ~np.isnan(majority)
    if not known.any():
        return {"always_first": None, "coin": None, "longer_wins": None}
    of = majority[known]
    sized = known & ~np.isnan(longer)
    return {
        "always_first": float((of == 1).mean()),
        "coin": float((of != 0).mean()) / 2,
        "longer_wins": float((longer[sized] == majority[sized]).mean()) if sized.any() else None,
    }


def _judge(
    given: FloatArray, majority: FloatArray, controls: Mapping[str, float | None], share: _Share, kappa: _Kappa
) -> JudgeAgreement:
    known = ~np.isnan(majority)
    labels, of_people = given[known], majority[known]
    valid = ~np.isnan(labels)
    right = (labels == of_people).astype(np.float64)
    accuracy_all = share(right)
    floor = max((value for value in controls.values() if value is not None), default=None)
    low = accuracy_all.interval.low if accuracy_all.interval else None
    return JudgeAgreement(
        accuracy_all=accuracy_all,
        accuracy_valid=share(np.where(valid, right, np.nan)),
        cohen_kappa=kappa(cohen_features(labels[valid], of_people[valid]), cohen),
        informative=None if low is None or floor is None else low > floor,
    )


def _note(raters: int) -> str:
    if raters >= FEW_RATERS:
        return ""
    return f"{raters} rater{'s' if raters != 1 else ''}: this is about them, not about people at large"
