"""Two models, or many, on the same ids: differences of win rates, paired by id.

>>> a = Units(("1", "2", "3"), np.array([1.0, 1.0, 0.0]))
>>> b = Units(("1", "2", "3"), np.array([0.0, 1.0, 0.0]))
>>> round(compare(a, b).difference, 3)
0.333
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats.power import detectable_difference
from alpaca_eval_suite.stats.sign_flip import sign_flip
from alpaca_eval_suite.stats.units import ROUNDING, Units
from alpaca_eval_suite.stats.win_rate import win_interval
from alpaca_eval_suite.types import Interval

FloatArray = npt.NDArray[np.float64]

_NAMED = 10  # ids that an error lists


@dataclass(frozen=True)
class Difference:
    """How much higher a's win rate is than b's, over the `n_shared` ids that have a value in both.

    `n_dropped` counts all other ids. `p_value` is the sign-flip test's; `mcnemar_mid_p` stands besides where
    all units are 0 or 1. `minimum_detectable_difference` is from 0 (two-sided α .05, power .8, observed sd).
    `reason` says why a figure is None; empty otherwise.
    """

    n_shared: int
    n_dropped: int
    difference: float | None
    se: float | None
    ci: Interval | None
    p_value: float | None
    test: str
    mcnemar_mid_p: float | None
    minimum_detectable_difference: float | None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """The public form; differences are fractions, intervals {"low", "high", "level", "method"}."""
        return {
            "n_shared": self.n_shared,
            "n_dropped": self.n_dropped,
            "difference": self.difference,
            "se": self.se,
            "ci": self.ci.as_json() if self.ci else None,
            "p_value": self.p_value,
            "test": self.test,
            "mcnemar_mid_p": self.mcnemar_mid_p,
            "minimum_detectable_difference": self.minimum_detectable_difference,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class PairOfModels:
    """One pair of a family: its difference, the p value adjusted for the family, and whether it holds."""

    a: str
    b: str
    difference: Difference
    p_holm: float | None
    holds: bool

    def as_json(self) -> dict[str, Any]:
        """The difference's public form, the names before it and Holm's p value after."""
        return {"a": self.a, "b": self.b, **self.difference.as_json(), "p_holm": self.p_holm, "holds": self.holds}


def compare(
    a: Units,
    b: Units,
    *,
    names: tuple[str, str] = ("a", "b"),
    shared_only: bool = False,
    resamples: int = 10_000,
    draws: int = 10_000,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> Difference:
    """The mean of a minus the mean of b over the ids that have a value in both.

    The interval is that of a win rate (`win_interval`: BCa, or its fall-backs) on the per-id differences d,
    seen as win rates (1 + d)/2. The test is `sign_flip`. `names` are for errors; `rng` is a seed or generator.
    Raises SuiteError naming ids that stand in only one of the two, unless `shared_only`, and when no id is
    shared.
    """
    rng = np.random.default_rng(rng)
    values_a, values_b, n_all = _shared(a, b, names, shared_only)
    n = len(values_a)
    if n == 0:
        return Difference(0, n_all, None, None, None, None, "none", None, None, "no id has a value in both")
    differences = values_a - values_b
    # Equal but for the rounding of a mean is equal.
    differences[np.abs(differences) < ROUNDING] = 0.0
    interval = win_interval((1 + differences) / 2, method="auto", resamples=resamples, level=level, rng=rng)
    test = sign_flip(differences, draws=draws, rng=rng)
    se = float(differences.std(ddof=1)) / sqrt(n) if n > 1 else None
    reason = ""
    if se is None:
        reason = "one id has no standard error"
    elif se == 0:
        reason = "all differences are equal: no detectable difference follows from their spread"
    yes_or_no = bool(np.isin(np.concatenate([values_a, values_b]), (0.0, 1.0)).all())
    return Difference(
        n_shared=n,
        n_dropped=n_all - n,
        difference=float(differences.mean()),
        se=se,
        ci=replace(interval, low=2 * interval.low - 1, high=2 * interval.high - 1),
        p_value=test.p_value,
        test=test.name,
        mcnemar_mid_p=mcnemar_mid_p(int((differences > 0).sum()), int((differences < 0).sum())) if yes_or_no else None,
        minimum_detectable_difference=detectable_difference(se) if se else None,
        reason=reason,
    )


def compare_all(
    models: Mapping[str, Units], *, shared_only: bool = False, alpha: float = 0.05, seed: int = 0
) -> list[PairOfModels]:
    """Every pair of the models, in the order given; Holm's family is all of them.

    Each pair is compared on the ids that both have, all with the same seed. A difference holds when its
    adjusted p value is at most `alpha`. Raises SuiteError as `compare` does.
    """
    pairs = list(combinations(models, 2))
    found = [compare(models[a], models[b], names=(a, b), shared_only=shared_only, rng=seed) for a, b in pairs]
    known = [difference.p_value for difference in found if difference.p_value is not None]
    adjusted = iter(holm(known))
    family = [None if difference.p_value is None else next(adjusted) for difference in found]
    return [
        PairOfModels(a, b, difference, p, p is not None and p <= alpha)
        for (a, b), difference, p in zip(pairs, found, family, strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values adjusted for their family: those at most α are true discoveries but with probability α.

    Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in adjusted]


def mcnemar_mid_p(only_a: int, only_b: int) -> float:
    """McNemar's two-sided mid-p value, from the ids that only one of the two models won.

    Fagerland, Lydersen and Laake (2013), "The McNemar test for binary matched-pairs data: mid-p and asymptotic
    are better than exact conditional", BMC Medical Research Methodology 13. 1 when there is no such id.
    """
    from scipy.stats import binom

    n, smaller = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    observed = float(binom.pmf(smaller, n, 0.5))
    if only_a == only_b:
        return 1.0 - observed / 2
    return 2 * float(binom.cdf(smaller, n, 0.5)) - observed


def _shared(a: Units, b: Units, names: tuple[str, str], shared_only: bool) -> tuple[FloatArray, FloatArray, int]:
    """The values of both on the ids that have one in both, in the ids' order; and the number of all ids."""
    ids_a, ids_b = set(a.ids), set(b.ids)
    shared = ids_a & ids_b
    alone = ids_a ^ ids_b
    if alone and not shared_only:
        raise SuiteError(_only_in_one(ids_a - ids_b, ids_b - ids_a, names), next_step=_next_step(bool(shared)))
    if not shared:
        raise SuiteError(f"{names[0]} and {names[1]} share no id", next_step="Judge both on the same instructions.")
    values_a, values_b = (
        np.array([value for id_, value in zip(u.ids, u.values, strict=True) if id_ in shared]) for u in (a, b)
    )
    complete = ~np.isnan(values_a) & ~np.isnan(values_b)
    return values_a[complete], values_b[complete], len(ids_a | ids_b)


def _only_in_one(only_a: set[str], only_b: set[str], names: tuple[str, str]) -> str:
    return "; ".join(
        f"{len(ids)} of the ids stand only in {name}: {_listed(ids)}"
        for name, ids in zip(names, (only_a, only_b), strict=True)
        if ids
    )


def _next_step(shared: bool) -> str:
    if shared:
        return "Give --on shared to compare on the ids that both have; the others are dropped and counted."
    return "No id is in both: were both judged on the same instructions?"


def _listed(ids: set[str]) -> str:
    first = sorted(ids)[:_NAMED]
    return ", ".join(map(repr, first)) + (", …" if len(ids) > _NAMED else "")
