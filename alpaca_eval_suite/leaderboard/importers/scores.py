"""Scores of single answers (accuracy, exact match): from the values that an item was given to rates with intervals.

They stand under the item's `key` as {"scores": {NAME: [value of each epoch, null where it failed]}}.

>>> items = [RawItem(id=str(i), key={"scores": {"match": [1.0]}}) for i in range(4)]
>>> score_rates(items)["match"].estimate
1.0
"""

from collections.abc import Mapping, Sequence
from math import nan

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.leaderboard.raw import RawItem
from alpaca_eval_suite.leaderboard.record import RateRecord, RunRecord
from alpaca_eval_suite.stats.proportion import mean_rate, rate
from alpaca_eval_suite.types import Rate

SCORES = "scores"

Values = Mapping[str, Sequence[float | None]]

_TAKEN = frozenset({"win_rate", "order_consistency", "first_shown", "checks_passed", "empty", "cut_off"})


def score_name(name: str) -> str:
    """The name of the rate of a score: its own, unless a rate of another meaning has it."""
    return f"{name} (score)" if name in _TAKEN or not name else name


def unit_values(items: Sequence[RawItem], name: str) -> dict[str, float]:
    """The score of each item that has it, by id: the mean over its epochs of what is there, NaN if nothing is."""
    found: dict[str, float] = {}
    for item in items:
        given = item.key.get(SCORES, {}).get(name)
        if given is not None:
            known = [value for value in given if value is not None]
            found[item.id] = sum(known) / len(known) if known else nan
    return found


def score_rates(items: Sequence[RawItem], seed: int = 0) -> dict[str, Rate]:
    """The rate of every score whose values lie in [0, 1]: Wilson's interval for yes and no, else as `mean_rate`."""
    rates = {}
    for name in _names(items):
        values = np.array(list(unit_values(items, name).values()), dtype=np.float64)
        known = values[~np.isnan(values)]
        if not _is_share(values):
            continue
        if np.isin(known, (0.0, 1.0)).all():
            rates[name] = rate(int(known.sum()), len(known), len(values) - len(known))
        else:
            rates[name] = mean_rate(values, rng=seed)
    return rates


def score_means(items: Sequence[RawItem]) -> dict[str, float]:
    """The mean of every score whose values do not lie in [0, 1], as `mean NAME`."""
    means = {}
    for name in _names(items):
        values = np.array(list(unit_values(items, name).values()), dtype=np.float64)
        if not _is_share(values):
            means[f"mean {name}"] = float(np.nanmean(values))
    return means


def with_scores(run: RunRecord, items: Sequence[RawItem]) -> RunRecord:
    """`run` with every number that follows from `items`, scores included, over all items and over each slice."""
    from alpaca_eval_suite.leaderboard.recompute import with_figures

    found = with_figures(run, items)
    slices = {name: dict(values) for name, values in found.slices.items()}
    for name in sorted({name for item in items for name in item.slices}):
        for value in sorted({item.slices[name] for item in items if name in item.slices}):
            among = [item for item in items if item.slices.get(name) == value]
            of_value = slices.setdefault(name, {}).get(value, {})
            slices[name][value] = {**of_value, **_records(score_rates(among, run.seed))}
    return found.model_copy(
        update={
            "rates": {**found.rates, **_records(score_rates(items, run.seed))},
            "numbers": {**found.numbers, **score_means(items)},
            "slices": slices,
        }
    )


def _records(rates: Mapping[str, Rate]) -> dict[str, RateRecord]:
    return {name: RateRecord.of(found) for name, found in rates.items()}


def _names(items: Sequence[RawItem]) -> list[str]:
    """The names of all scores, in the order in which the items name them first."""
    return list(dict.fromkeys(name for item in items for name in item.key.get(SCORES, {})))


def _is_share(values: npt.NDArray[np.float64]) -> bool:
    known = values[~np.isnan(values)]
    return len(known) == 0 or bool(known.min() >= 0 and known.max() <= 1)
