"""The ranks of the rows of one comparison group, with the ranks that the data allow, from what each id gave each."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.rank_sets import rank_sets, ranks
from alpaca_eval_suite.stats.units import Units
from alpaca_eval_suite.stats.win_rate import FEW, win_interval

FloatArray = npt.NDArray[np.float64]

LEVEL = 0.95

_RESAMPLES = 2_000
_RESAMPLES_OF_MANY = 500
_MANY = 200  # rows: the tests are of all ordered pairs, a million of them at a thousand rows
_COVERED = 0.95  # the least share of the group's ids that a row must have
_SEED = 0


@dataclass(frozen=True)
class Ranked:
    """The rank of a row's rate, 1 the best, and the best and worst rank that the data allow (all rows at once)."""

    rank: int
    low: int
    high: int

    def as_json(self) -> dict[str, int]:
        """{"rank", "low", "high"}."""
        return {"rank": self.rank, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Ranking:
    """A rank or the reason why there is none for each row, and in one sentence how the ranks were made."""

    ranked: tuple[Ranked | str, ...]
    said: str


def ranking(measured: Sequence[Units | str], *, lower_is_better: bool = False) -> Ranking:
    """The ranks of rows of which `measured` holds the units, or the reason why it cannot.

    The ids of the row that has most are drawn with replacement, one draw for all rows, and each row's mean is taken
    over those that it has (`rank_sets`). A row that lacks more than a twentieth of the ids is not ranked: a short
    trial is no whole run. Where the bootstrap of a mean is known to fail (few wins or few losses) the row's draws
    are normal, with the standard error of its own interval.
    """
    of_most = max((units for units in measured if isinstance(units, Units)), key=lambda u: len(u.ids), default=None)
    if of_most is None:
        return Ranking(tuple(str(found) for found in measured), "")
    checked = [_checked(found, of_most.ids) for found in measured]
    rows = [found for found in checked if isinstance(found, Units)]
    if len(rows) < 2:
        alone = "no other row to rank it against has units"
        return Ranking(tuple(alone if isinstance(found, Units) else found for found in checked), "")
    values = _aligned(rows, of_most.ids)
    theta, resampled, n_weak = _resampled(values)
    sign = -1.0 if lower_is_better else 1.0
    sets = rank_sets(sign * theta, sign * resampled, level=LEVEL)
    places = iter(Ranked(*found) for found in zip(ranks(sign * theta), sets.low, sets.high, strict=True))
    said = (
        f"simultaneous {100 * LEVEL:g} % rank sets (Mogstad, Romano, Shaikh and Wilhelm 2024) of {len(rows)} rows "
        f"over {len(of_most.ids):,} ids, {len(resampled):,} joint resamples"
    )
    if n_weak:
        said += f"; {n_weak} of the rows with few wins or few losses by the standard error of their own interval"
    return Ranking(tuple(next(places) if isinstance(found, Units) else found for found in checked), said)


def _checked(found: Units | str, ids: Sequence[str]) -> Units | str:
    if isinstance(found, str):
        return found
    shared = len(set(found.ids) & set(ids))
    if shared < _COVERED * len(ids):
        return f"it has {shared} of the {len(ids)} ids of the others"
    return found if found.n else "every unit failed"


def _aligned(rows: Sequence[Units], ids: Sequence[str]) -> FloatArray:
    """(rows, ids): the value of each row on each id, NaN where it has none."""
    number = {id_: place for place, id_ in enumerate(ids)}
    values = np.full((len(rows), len(ids)), np.nan)
    for row, units in zip(values, rows, strict=True):
        if units.ids == ids:
            row[:] = units.values
            continue
        for id_, value in zip(units.ids, units.values, strict=True):
            if id_ in number:
                row[number[id_]] = value
    return values


def _resampled(values: FloatArray) -> tuple[FloatArray, FloatArray, int]:
    """The mean of each row, its means in joint resamples of the ids (resamples, rows), and how many of the rows are
    drawn from a normal distribution instead."""
    rng = np.random.default_rng(_SEED)
    k, n = values.shape
    resamples = _RESAMPLES if k <= _MANY else _RESAMPLES_OF_MANY
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)
    present = ~np.isnan(values)
    filled = np.where(present, values, 0.0)
    theta = filled.sum(axis=1) / present.sum(axis=1)
    counted = weights @ present.T.astype(np.float64)
    # A resample that drew none of the few ids of a row says nothing of it: the row stands at its own mean.
    resampled = np.divide(weights @ filled.T, counted, out=np.tile(theta, (resamples, 1)), where=counted > 0)
    weak = [i for i in range(k) if min((values[i] > 0.5).sum(), (values[i] < 0.5).sum()) < FEW]
    for i in weak:
        ends = win_interval(values[i][present[i]], method="auto", resamples=_RESAMPLES, level=LEVEL, rng=rng)
        se = (ends.high - ends.low) / (2 * NormalDist().inv_cdf((1 + LEVEL) / 2))
        resampled[:, i] = rng.normal(theta[i], se, resamples)
    return theta, resampled, len(weak)
