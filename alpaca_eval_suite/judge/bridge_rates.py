"""The win rates of many models by two judges, resampled together, and how far the two rank the models alike."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.totals import Estimate
from alpaca_eval_suite.types import Interval

FloatArray = npt.NDArray[np.float64]

_BLOCK = 2_000_000  # numbers at a time: 16 MB


@dataclass(frozen=True, eq=False)
class Rates:
    """The win rates of M models by two judges, on units that both judged: as seen (M,), on resampled ids (R, M).

    `n`: each model's units. All models and both judges of a draw have the same resampled ids.
    """

    old: FloatArray
    new: FloatArray
    old_drawn: FloatArray
    new_drawn: FloatArray
    n: FloatArray


def resampled_rates(old: FloatArray, new: FloatArray, resamples: int, rng: np.random.Generator) -> Rates:
    """The rates from both judges' units (ids, models); a unit counts where neither is NaN.

    Raises ValueError where a model has no such unit.
    """
    known = ~np.isnan(old + new)
    if not known.any(axis=0).all():
        raise ValueError("a model without a unit that both judged has no rates")
    values = np.concatenate([np.where(known, old, 0.0), np.where(known, new, 0.0), known], axis=1, dtype=np.float64)
    ids, models = old.shape
    sums = np.empty((resamples, 3 * models))
    rows = max(1, _BLOCK // ids)
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        sums[start : start + size] = rng.multinomial(ids, np.full(ids, 1 / ids), size=size) @ values
    totals = np.concatenate([values.sum(axis=0)[None], sums])
    counts = totals[:, 2 * models :]
    shares = [
        np.divide(part, counts, out=np.full_like(counts, np.nan), where=counts > 0)
        for part in (totals[:, :models], totals[:, models : 2 * models])
    ]
    return Rates(shares[0][0], shares[1][0], shares[0][1:], shares[1][1:], counts[0])


@dataclass(frozen=True)
class RankAgreement:
    """Kendall's tau-b of two judges' rankings of models by win rate: 1 where both rank alike, -1 the other way round.

    Of all `n_pairs` pairs of models `n_sure` have an order that both judges' verdicts leave no doubt about, and in
    `n_opposite` of these the two orders are opposite.
    """

    tau: Estimate
    n_pairs: int
    n_sure: int
    n_opposite: int

    def as_json(self) -> dict[str, Any]:
        """Plain figures."""
        counts = {"n_pairs": self.n_pairs, "n_sure": self.n_sure, "n_opposite": self.n_opposite}
        return {"tau": self.tau.as_json(), **counts}


def rank_agreement(rates: Rates, level: float = 0.95) -> RankAgreement:
    """How far the two judges rank the models alike.

    The interval is from simultaneous intervals of all differences between two models by either judge (the largest
    studentised deviation over resampled ids): pairs in doubt count as opposite in its lower end and as alike in its
    upper one. So it is wide where models are close. Resampled values of tau itself would not do: resampling adds noise
    to both rankings, and where both are the same in truth nearly all of them lie below 1.
    Kendall (1945), "The treatment of ties in ranking problems", Biometrika 33.
    """
    models = len(rates.old)
    pairs = _Pairs(*np.triu_indices(models, k=1))
    n_pairs = len(pairs.first)
    by_old, by_new = pairs.differences(rates.old), pairs.differences(rates.new)
    room = sqrt(float(np.count_nonzero(by_old)) * float(np.count_nonzero(by_new)))
    if not room:
        reason = "one model has no ranks" if models < 2 else "a judge gives all models the same rate"
        return RankAgreement(Estimate(None, None, models, reason), n_pairs, 0, 0)
    value = float(np.sign(by_old) @ np.sign(by_new)) / room
    sure = pairs.surely_apart(rates.old, rates.new, rates.old_drawn, rates.new_drawn, level)
    alike = np.sign(by_old) == np.sign(by_new)
    n_sure, n_opposite = int(sure.sum()), int((sure & ~alike).sum())
    in_doubt = n_pairs - n_sure
    low, high = ((n_sure - 2 * n_opposite + sign * in_doubt) / n_pairs for sign in (-1, 1))
    interval = Interval(low, high, level, "simultaneous bootstrap of all pairs")
    return RankAgreement(Estimate(value, interval, models), n_pairs, n_sure, n_opposite)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """All pairs of models, by their places."""

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]

    def differences(self, rates: FloatArray) -> FloatArray:
        found: FloatArray = rates[..., self.first] - rates[..., self.second]
        return found

    def surely_apart(
        self, old: FloatArray, new: FloatArray, old_drawn: FloatArray, new_drawn: FloatArray, level: float
    ) -> npt.NDArray[np.bool_]:
        """Whether both judges' differences leave out 0, all intervals holding together with probability `level`."""
        defined = ~np.isnan(old_drawn + new_drawn).any(axis=1)
        spreads = [self._spread(drawn[defined]) for drawn in (old_drawn, new_drawn)]
        most = np.zeros(int(defined.sum()))
        rows = max(1, _BLOCK // len(self.first))
        for seen, drawn, spread in zip((old, new), (old_drawn[defined], new_drawn[defined]), spreads, strict=True):
            for start in range(0, len(most), rows):
                part = slice(start, start + rows)
                apart = np.abs(self.differences(drawn[part]) - self.differences(seen)) / spread
                most[part] = np.maximum(most[part], apart.max(axis=1))
        critical = np.quantile(most, level)
        sure: npt.NDArray[np.bool_] = np.ones(len(self.first), dtype=bool)
        for seen, spread in zip((old, new), spreads, strict=True):
            sure &= np.isfinite(spread) & (np.abs(self.differences(seen)) > critical * spread)
        return sure

    def _spread(self, drawn: FloatArray) -> FloatArray:
        """Of each difference over the draws; infinite where it does not vary, of which nothing can be concluded."""
        covariance = np.cov(drawn, rowvar=False)
        variance = np.diag(covariance)
        of_pairs = variance[self.first] + variance[self.second] - 2 * covariance[self.first, self.second]
        return np.where(of_pairs > 1e-15, np.sqrt(np.maximum(of_pairs, 0)), np.inf)
