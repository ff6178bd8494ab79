"""Outliving a judge: what verdicts of two judges on the same pairs say of how to read one's numbers as the other's.

>>> ids = tuple(f"{n:03}" for n in range(300))
>>> new = Units(ids, np.tile([1.0, 0.0, 1.0], 100))
>>> old = Units(ids[:90], np.tile([1.0, 0.0, 0.0], 30))  # a random sample, in earnest
>>> found = bridge([ModelUnits("mine", "theirs", old, new)], resamples=500)
>>> [(one.of, round(one.estimate.value, 2)) for one in found.models[0].converted]
[('old', 0.33)]
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.bridge_line import Line, fit_line
from alpaca_eval_suite.judge.bridge_rates import rank_agreement, resampled_rates
from alpaca_eval_suite.judge.bridge_result import Bridge, ModelBridge, RateOf, Side, Slice
from alpaca_eval_suite.stats.calibrate import calibrate
from alpaca_eval_suite.stats.clustered import mean_by_item
from alpaca_eval_suite.stats.compare import holm
from alpaca_eval_suite.stats.kappa import cohen, cohen_features
from alpaca_eval_suite.stats.sign_flip import sign_flip
from alpaca_eval_suite.stats.totals import Estimate, of_totals
from alpaca_eval_suite.stats.units import ROUNDING, TIE, Units

FloatArray = npt.NDArray[np.float64]

_DIFFERENCE = (-1.0, 1.0)
_WIN, _TIE, _LOSS = 0.0, 1.0, 2.0
_FEWEST_IDS = 2  # of a slice: one has no spread


class _Mean(Protocol):
    """A mean by id with its interval; resamples, level and generator are set."""

    def __call__(self, values: FloatArray, of: Sequence[str], span: tuple[float, float] = ...) -> Estimate: ...


@dataclass(frozen=True, eq=False)
class ModelUnits:
    """One model against its baseline by both judges, each on the ids that it was asked about; the anchor is what
    both have."""

    model: str
    baseline: str
    old: Units
    new: Units

    @property
    def anchor(self) -> tuple[str, ...]:
        """The ids that both judges were asked about, sorted."""
        return tuple(sorted(set(self.old.ids) & set(self.new.ids)))


def bridge(
    models: Sequence[ModelUnits],
    slices: Mapping[str, Mapping[str, str]] | None = None,
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> Bridge:
    """What the two judges' units say of each other. `slices`: of each id, by key.

    Whether the anchor is a random sample is for the caller to know. Raises SuiteError naming a model of which no unit
    has a value of both judges.
    """
    rng = np.random.default_rng(rng)
    ids = sorted({id_ for model in models for id_ in model.anchor})
    old = np.column_stack([_values(one.old, one.anchor, ids) for one in models])
    new = np.column_stack([_values(one.new, one.anchor, ids) for one in models])
    known = ~np.isnan(old + new)
    for place, model in enumerate(models):
        if not known[:, place].any():
            raise SuiteError(
                "no id has a verdict of both judges",
                where=f"{model.model} against {model.baseline}",
                next_step="Are the ids of both the same instructions'?",
            )
    rows = np.nonzero(known)[0]
    items = [ids[row] for row in rows.tolist()]
    of_old, of_new = old[known], new[known]

    def mean(values: FloatArray, of: Sequence[str], span: tuple[float, float] = (0.0, 1.0)) -> Estimate:
        return mean_by_item(values, of, span=span, resamples=resamples, level=level, rng=rng)

    def convert(of: Side, judged: Units, anchor: Units) -> RateOf:
        return converted_rate(of, judged, anchor, resamples=resamples, level=level, rng=rng)

    rates = resampled_rates(old, new, resamples, rng)
    line = fit_line(rates, level)
    labels_old, labels_new = _labels(of_old), _labels(of_new)
    cells = cohen_features(labels_old, labels_new)
    by_id = np.zeros((len(ids), cells.shape[1]))
    np.add.at(by_id, rows, cells)
    kappa = of_totals(by_id[by_id.any(axis=1)], cohen, resamples=resamples, level=level, rng=rng)
    return Bridge(
        models=tuple(
            _of_model(model, old[:, place], new[:, place], ids, mean, convert) for place, model in enumerate(models)
        ),
        n_ids=len(set(items)),
        n_units=len(items),
        difference=mean(of_new - of_old, items, _DIFFERENCE),
        agreement=mean((labels_old == labels_new).astype(np.float64), items),
        kappa=replace(kappa, n=len(items)),
        confusion=tuple(
            tuple(mean(((labels_old == i) & (labels_new == j)).astype(np.float64), items) for j in range(3))
            for i in range(3)
        ),
        slices=tuple(_slices(of_new - of_old, items, slices or {}, mean, rng)),
        ranks=rank_agreement(rates, level),
        line=line if isinstance(line, Line) else None,
        no_line=line if isinstance(line, str) else "",
    )


def converted_rate(
    of: Side, judged: Units, anchor: Units, *, resamples: int, level: float, rng: np.random.Generator
) -> RateOf:
    """The win rate that the judge `of` would give on all ids of `judged`, of which `anchor` holds its own verdicts.

    A calibration in which that judge plays the part of the people (stats/calibrate.py): the other judge's mean,
    weighted by λ, corrected by what it got wrong on the anchor, a random sample of its ids. With few wins or losses
    in the anchor it is the anchor's own rate, and the estimate's `reason` says so. A failed verdict of `of` is no
    label. Raises SuiteError with fewer than two verdicts in the anchor.
    """
    found = calibrate(judged, anchor, resamples=resamples, level=level, rng=rng)
    return RateOf(of, found.n_judged, found.n_failed, found.ppi, found.naive, found.tuning)


def _of_model(
    model: ModelUnits,
    old: FloatArray,
    new: FloatArray,
    ids: Sequence[str],
    mean: _Mean,
    convert: Callable[[Side, Units, Units], RateOf],
) -> ModelBridge:
    known = ~np.isnan(old + new)
    items = [ids[place] for place in np.nonzero(known)[0].tolist()]
    anchor = set(model.anchor)
    converted = []
    sides: tuple[tuple[Side, Units, Units], ...] = (("old", model.new, model.old), ("new", model.old, model.new))
    for side, judged, labels in sides:
        if len(judged.ids) > len(anchor):
            own = _only(labels, anchor)
            converted.append(convert(side, judged, own))
    return ModelBridge(
        model=model.model,
        baseline=model.baseline,
        n=len(items),
        n_failed=len(anchor) - len(items),
        old=mean(old[known], items),
        new=mean(new[known], items),
        difference=mean(new[known] - old[known], items, _DIFFERENCE),
        converted=tuple(converted),
    )


def _slices(
    differences: FloatArray,
    items: Sequence[str],
    slices: Mapping[str, Mapping[str, str]],
    mean: _Mean,
    rng: np.random.Generator,
) -> list[Slice]:
    """Slices of at least two ids; Holm's family is all of them."""
    members: dict[tuple[str, str], list[int]] = {}
    for place, id_ in enumerate(items):
        for one in slices.get(id_, {}).items():
            members.setdefault(one, []).append(place)
    found = []
    for (key, value), places in sorted(members.items()):
        here = [items[place] for place in places]
        if len(set(here)) < _FEWEST_IDS:
            continue
        numbers = np.unique(np.asarray(here, dtype=object).astype(str), return_inverse=True)[1]
        by_id = np.bincount(numbers, weights=differences[places]) / np.bincount(numbers)
        by_id[np.abs(by_id) < ROUNDING] = 0.0
        p_value = sign_flip(by_id, rng=rng).p_value
        found.append(Slice(key, value, mean(differences[places], here, _DIFFERENCE), p_value, p_value))
    adjusted = holm([one.p_value for one in found])
    return [replace(one, p_holm=p_holm) for one, p_holm in zip(found, adjusted, strict=True)]


def _values(units: Units, wanted: Sequence[str], ids: Sequence[str]) -> FloatArray:
    """The values of the `wanted` ids, at their places in `ids`; NaN elsewhere."""
    by_id = dict(zip(units.ids, units.values.tolist(), strict=True))
    here = set(wanted)
    return np.array([by_id[id_] if id_ in here else np.nan for id_ in ids], dtype=np.float64)


def _only(units: Units, ids: set[str]) -> Units:
    kept = [place for place, id_ in enumerate(units.ids) if id_ in ids]
    return Units(tuple(units.ids[place] for place in kept), units.values[kept])


def _labels(values: FloatArray) -> FloatArray:
    return np.where(values > TIE, _WIN, np.where(values < TIE, _LOSS, _TIE))
