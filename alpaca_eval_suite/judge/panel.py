"""Several judges of the same pairs: their values combined, and how far they agree.

>>> majority({"x": 1.0, "y": 0.75, "z": None})
(1.0, '')
>>> majority({"x": 1.0, "y": 0.0, "z": None})
(None, 'no majority')
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import fsum
from typing import Any

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.kappa import krippendorff, krippendorff_features, label_counts
from alpaca_eval_suite.stats.proportion import mean_rate
from alpaca_eval_suite.stats.totals import Estimate, of_totals
from alpaca_eval_suite.stats.units import ROUNDING, TIE
from alpaca_eval_suite.types import Rate

NO_MAJORITY = "no majority"
_WINS = (TIE, 1.0, 0.0)
"""What a side is worth to the model: 0 neither, 1 the model's output, 2 the baseline's."""


def mean(values: Mapping[str, float | None]) -> tuple[float | None, str]:
    """The mean over the judges that did not fail, and the reason where there is none. `values`: by judge."""
    valid = [value for value in values.values() if value is not None]
    return (fsum(valid) / len(valid), "") if valid else (None, "all judges failed")


def majority(values: Mapping[str, float | None]) -> tuple[float | None, str]:
    """The side (1 the model, 0 the baseline, 0.5 a tie) that more than half of all judges take; else None and why.

    `values`: one unit's by judge. A judge that failed takes no side and counts among all.
    """
    sides = [_side(value) for value in values.values() if value is not None]
    for side, win in enumerate(_WINS):
        if 2 * sides.count(side) > len(values):
            return win, ""
    return None, NO_MAJORITY


@dataclass(frozen=True)
class PanelAgreement:
    """How far the judges take the same side (model, baseline, tie).

    `pairs`: for each two judges the share of the units with a value of both in which they do. `krippendorff_alpha`:
    of all judges, corrected for chance, over the `n` units with values of two or more.
    """

    n: int
    pairs: Mapping[tuple[str, str], Rate]
    krippendorff_alpha: Estimate

    def as_json(self) -> dict[str, Any]:
        """Plain figures."""
        pairs = [{"judges": list(judges), **rate.as_json()} for judges, rate in self.pairs.items()]
        return {"n": self.n, "pairs": pairs, "krippendorff_alpha": self.krippendorff_alpha.as_json()}


def panel_agreement(
    values: Mapping[str, Mapping[str, float | None]],
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> PanelAgreement:
    """The agreement of judges from each one's value by unit; intervals resample units, the judges fixed.

    `rng` is a seed or a generator.
    """
    rng = np.random.default_rng(rng)
    judges = sorted(values)
    units = sorted({unit for of_judge in values.values() for unit in of_judge})
    labels = np.array([[_label(values[judge].get(unit)) for judge in judges] for unit in units], dtype=np.float64)
    labels = labels.reshape(len(units), len(judges))
    pairs = {}
    for (i, first), (j, second) in combinations(enumerate(judges), 2):
        shared = ~np.isnan(labels[:, [i, j]]).any(axis=1)
        same: npt.NDArray[np.float64] = (labels[shared, i] == labels[shared, j]).astype(np.float64)
        pairs[(first, second)] = mean_rate(same, resamples=resamples, level=level, rng=rng)
    counts = label_counts(labels)
    several = counts[counts.sum(axis=1) >= 2]
    alpha = of_totals(krippendorff_features(several), krippendorff, resamples=resamples, level=level, rng=rng)
    return PanelAgreement(len(several), pairs, alpha)


def _side(value: float) -> int:
    return 0 if abs(value - TIE) < ROUNDING else 1 if value > TIE else 2


def _label(value: float | None) -> float:
    return float("nan") if value is None else float(_side(value))
