"""What the order of the two outputs does to a judge: consistency, position bias, the information floor.

>>> prefs = [Preference("a", 1.0, order="model_first"), Preference("a", 1.0, order="baseline_first")]
>>> order_consistency(prefs).estimate
1.0
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.intervals import clopper_pearson
from alpaca_eval_suite.stats.proportion import mean_rate
from alpaca_eval_suite.stats.units import TIE
from alpaca_eval_suite.stats.win_rate import win_interval
from alpaca_eval_suite.types import Preference, Rate

COIN_CONSISTENCY = 0.5
"""How often a fair coin, tossed for each order, agrees with itself."""

ALWAYS_FIRST_CONSISTENCY = 0.0
"""How often a judge that always prefers the output shown first agrees with itself."""


@dataclass(frozen=True)
class Information:
    """Whether a judge's verdicts hold information on the outputs, and why.

    `informative` is None when no pair was judged in both orders. `floor` is the consistency that a judge
    reaches who does not look at the outputs.
    """

    informative: bool | None
    reason: str
    consistency: Rate
    floor: float | None


@dataclass(frozen=True)
class _BothOrders:
    """The pairs that were asked in both orders: a number for their id, and the model's win in each order."""

    id_numbers: npt.NDArray[np.int64]
    model_first: npt.NDArray[np.float64]
    baseline_first: npt.NDArray[np.float64]
    n_failed: int

    def by_id(self, of_pairs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The mean over the pairs of each id: what an interval resamples."""
        means: npt.NDArray[np.float64] = np.bincount(self.id_numbers, weights=of_pairs) / np.bincount(self.id_numbers)
        return means


def order_consistency(preferences: Iterable[Preference], *, level: float = 0.95) -> Rate:
    """The share of pairs judged in both orders whose two verdicts agree.

    Two verdicts agree when they lie on the same side of 0.5: both above, both below, or both at 0.5; a tie
    agrees only with a tie. Counted by id (mean over an id's judges and seeds). The interval resamples ids;
    it is Clopper and Pearson's where every id is a plain yes or no. `n_failed` counts the ids asked in both
    orders that have no pair with both verdicts.
    """
    both = _both_orders(preferences)
    agrees = np.sign(both.model_first - TIE) == np.sign(both.baseline_first - TIE)
    shares = both.by_id(agrees.astype(np.float64))
    if len(shares) and np.isin(shares, (0.0, 1.0)).all():
        agreeing, n = int(shares.sum()), len(shares)
        return Rate(agreeing / n, clopper_pearson(agreeing, n, level), n, both.n_failed)
    found = mean_rate(shares, level=level)
    return Rate(found.estimate, found.interval, found.n, both.n_failed)


def first_shown_rate(preferences: Iterable[Preference], *, level: float = 0.95) -> Rate:
    """How often the output shown first wins, among pairs with a verdict in both orders: 0.5 is no bias.

    A tie is half a win and a fraction that much of one. As every pair counts in both orders, which output is
    better cancels out. The mean by id, with the interval of a win rate (`win_interval`).
    """
    both = _both_orders(preferences)
    of_pairs = (both.model_first + 1 - both.baseline_first) / 2
    values = both.by_id(of_pairs)
    if len(values) == 0:
        return Rate(None, None, 0, both.n_failed)
    rng = np.random.default_rng(0)
    interval = win_interval(values, method="auto", resamples=10_000, level=level, rng=rng)
    return Rate(float(values.mean()), interval, len(values), both.n_failed)


def has_information(preferences: Iterable[Preference], *, level: float = 0.95) -> Information:
    """Whether the verdicts of a judge are more consistent over the two orders than those of a blind judge.

    The floor is the highest of what a fair coin reaches (0.5), what always-first reaches (0), and what a
    judge reaches who draws "first", "tie" or "second" blindly as often as this one says them: 2·f·s + t²
    (so that a judge who always says "tie" is not called consistent). The verdicts hold information when the
    lower end of the consistency's interval is above the floor.
    """
    preferences = list(preferences)
    consistency = order_consistency(preferences, level=level)
    if consistency.interval is None or consistency.estimate is None:
        return Information(None, "no pair has a verdict in both orders", consistency, None)
    floor = max(COIN_CONSISTENCY, ALWAYS_FIRST_CONSISTENCY, _blind_consistency(_both_orders(preferences)))
    informative = consistency.interval.low > floor
    reason = (
        f"the two orders agree in {consistency.estimate:.1%} of {consistency.n} pairs "
        f"({consistency.interval.low:.1%} to {consistency.interval.high:.1%}); "
        f"a judge who does not look reaches {floor:.1%}"
    )
    return Information(informative, reason if informative else f"no information: {reason}", consistency, floor)


def _both_orders(preferences: Iterable[Preference]) -> _BothOrders:
    def pair(p: Preference) -> tuple[str, str, str, str, str, int]:
        return (p.scenario, p.id, p.model, p.baseline, p.judge, p.seed)

    numbers: dict[tuple[str, str], int] = {}
    id_numbers: list[int] = []
    wins: list[tuple[float, float]] = []
    failed: set[tuple[str, str]] = set()
    for (scenario, id_, *_), group in groupby(sorted(preferences, key=pair), key=pair):
        of_order = {p.order: p.win for p in group}
        if "model_first" not in of_order or "baseline_first" not in of_order:
            continue
        first, second = of_order["model_first"], of_order["baseline_first"]
        if first is None or second is None:
            failed.add((scenario, id_))
        else:
            id_numbers.append(numbers.setdefault((scenario, id_), len(numbers)))
            wins.append((first, second))
    columns = np.array(wins, dtype=np.float64).reshape(-1, 2)
    return _BothOrders(np.array(id_numbers, dtype=np.int64), columns[:, 0], columns[:, 1], len(failed - numbers.keys()))


def _blind_consistency(both: _BothOrders) -> float:
    first_wins = np.concatenate([both.model_first, 1 - both.baseline_first])
    first = float((first_wins > TIE).mean())
    second = float((first_wins < TIE).mean())
    return 2 * first * second + (1 - first - second) ** 2
