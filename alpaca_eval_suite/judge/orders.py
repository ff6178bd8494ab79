"""In which orders a pair is shown to a judge, and what showing it in one order only costs in precision."""

from collections.abc import Iterable
from math import sqrt

import numpy as np

from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.judge.schema import Orders
from alpaca_eval_suite.types import Order, Preference

BOTH: tuple[Order, ...] = ("model_first", "baseline_first")


def orders_of(ids: Iterable[str], orders: Orders, seed: int = 0) -> dict[str, tuple[Order, ...]]:
    """The orders in which each of `ids` is shown.

    `both`: once in each, so that a liking for one place cancels out. `single`: the model first, always: a liking for
    the first place stays in the rate, and nothing shows it. `balanced`: once, half of the ids (one more where they
    are odd) with the model first, drawn by `seed`: the liking cancels out over the ids, at half the price of `both`.
    Which ids these are depends on the set of ids and the seed alone: every process that is given all ids of a run
    draws the same. With more ids some change their order.
    """
    if orders == "both":
        return dict.fromkeys(ids, BOTH)
    if orders == "single":
        return dict.fromkeys(ids, BOTH[:1])
    drawn = sorted(set(ids), key=lambda id_: sha256_text(f"{seed}\0{id_}"))
    return {id_: (BOTH[place % 2],) for place, id_ in enumerate(drawn)}


def precision_loss(preferences: Iterable[Preference]) -> float | None:
    """How many times larger the standard error of a win rate is with one random order a pair than with both.

    Estimated from the verdicts of one judge that has both: with x and y a pair's wins in the two orders, u = (x + y)/2
    and d = (x - y)/2, a pair shown once in a random order has the value u + d or u - d, so that its variance is
    Var(u) + E[d²], and the factor sqrt(1 + E[d²]/Var(u)). The square of the factor is how many more pairs shown once
    make up for it. (`balanced` keeps the mean of d out of the true error, but not out of the error that is reported:
    the factor is what is seen.) None with fewer than two pairs, or where u does not vary.
    """
    wins: dict[tuple[object, ...], dict[Order, float | None]] = {}
    for p in preferences:
        pair = (p.scenario, p.id, p.model, p.baseline, p.judge, p.seed)
        wins.setdefault(pair, {})[p.order] = p.win
    both = [(x, y) for of in wins.values() if None not in (x := of.get(BOTH[0]), y := of.get(BOTH[1]))]
    if len(both) < 2:
        return None
    x, y = np.array(both, dtype=np.float64).T
    spread = float(((x + y) / 2).var(ddof=1))
    return sqrt(1 + float((((x - y) / 2) ** 2).mean()) / spread) if spread > 1e-12 else None
