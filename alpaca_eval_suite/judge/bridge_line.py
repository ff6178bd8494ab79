"""From one judge's win rates to another's: the straight line through models that both judged.

>>> from alpaca_eval_suite.judge.bridge_rates import resampled_rates
>>> old = np.random.default_rng(0).random((400, 6)) < np.linspace(0.2, 0.8, 6)
>>> rates = resampled_rates(old.astype(float), old.astype(float), 200, np.random.default_rng(1))
>>> line = fit_line(rates)
>>> round(line.convert(0.5).value, 3)
0.5
"""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.judge.bridge_rates import Rates
from alpaca_eval_suite.stats.totals import Estimate
from alpaca_eval_suite.types import Interval

FloatArray = npt.NDArray[np.float64]

LEAST_MODELS = 5
"""With fewer models no line is drawn: two parameters through four points say nothing of a fifth model."""

_MOST_UNDEFINED = 0.05  # of the resamples, as in stats/totals.py


@dataclass(frozen=True)
class Converted:
    """OLD's `rate` as NEW would give it: `value` on the line.

    `ci` resamples ids with the models fixed: how well the line through these models is known. `ci_another_model` is
    for a model that is not among them, which need not lie on the line. `extrapolated`: no model's rate is so far out.
    """

    rate: float
    value: float
    ci: Interval | None
    ci_another_model: Interval
    extrapolated: bool

    def as_json(self) -> dict[str, Any]:
        """Rates are fractions."""
        return {
            "old": self.rate,
            "new": self.value,
            "ci": self.ci.as_json() if self.ci else None,
            "ci_another_model": self.ci_another_model.as_json(),
            "extrapolated": self.extrapolated,
        }


@dataclass(frozen=True, eq=False)
class Line:
    """logit NEW = intercept + slope · logit OLD, through `n_models` models."""

    intercept: Estimate
    slope: Estimate
    n_models: int
    rates: Rates
    level: float

    def convert(self, rate: float) -> Converted:
        """OLD's `rate`, which lies between 0 and 1, as NEW would give it."""
        from scipy.special import stdtrit

        x, y = _logit(self.rates.old, self.rates.n), _logit(self.rates.new, self.rates.n)
        at = float(np.log(rate / (1 - rate)))
        intercept, slope = _orthogonal(x, y)
        value = float(intercept + slope * at)
        residuals = y - intercept - slope * x
        freedom = self.n_models - 2
        spread = sqrt(float((residuals**2).sum()) / freedom)
        away = (at - float(x.mean())) ** 2 / float(((x - x.mean()) ** 2).sum())
        half = float(stdtrit(freedom, (1 + self.level) / 2)) * spread * sqrt(1 + 1 / self.n_models + away)
        another = Interval(
            _share(value - half), _share(value + half), self.level, "deming on logits, t, one more model"
        )
        return Converted(
            rate=rate,
            value=_share(value),
            ci=self._interval(at),
            ci_another_model=another,
            extrapolated=not self.rates.old.min() <= rate <= self.rates.old.max(),
        )

    def as_json(self) -> dict[str, Any]:
        """The line, and what it makes of rates from 5 % to 95 %, for those who have no draws."""
        return {
            "method": "deming on logits",
            "n_models": self.n_models,
            "intercept": self.intercept.as_json(),
            "slope": self.slope.as_json(),
            "table": [self.convert(percent / 100).as_json() for percent in range(5, 100, 5)],
        }

    def _interval(self, at: float) -> Interval | None:
        intercepts, slopes = _drawn_lines(self.rates)
        drawn = intercepts + slopes * at
        found = _percentile(drawn, self.level)
        return found and Interval(_share(found.low), _share(found.high), found.level, found.method)


def fit_line(rates: Rates, level: float = 0.95) -> Line | str:
    """The line between the judges, or why there is none.

    Deming's regression with equal error variances (orthogonal), on logits. Both judges' rates are estimates from the
    same ids, neither is the true one, and about equally uncertain, so that least squares of one on the other would
    flatten the line, and another one would lead back: here OLD to NEW to OLD is where it began. On logits, because
    rates near 0 and 1 are squeezed; 0 and 1 themselves are moved by half a verdict.
    """
    models = len(rates.old)
    if models < LEAST_MODELS:
        return f"{models} model{'s' * (models != 1)}, a line needs {LEAST_MODELS}"
    intercept, slope = _orthogonal(_logit(rates.old, rates.n), _logit(rates.new, rates.n))
    if np.isnan(slope):
        return "the judges' win rates do not rise together"
    intercepts, slopes = _drawn_lines(rates)
    return Line(
        intercept=_estimate(float(intercept), intercepts, models, level),
        slope=_estimate(float(slope), slopes, models, level),
        n_models=models,
        rates=rates,
        level=level,
    )


def _drawn_lines(rates: Rates) -> tuple[FloatArray, FloatArray]:
    return _orthogonal(_logit(rates.old_drawn, rates.n), _logit(rates.new_drawn, rates.n))


def _orthogonal(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Intercepts and slopes (...) of the lines through (..., M) points; NaN where no rising line is nearest."""
    mean_x, mean_y = x.mean(axis=-1), y.mean(axis=-1)
    dx, dy = x - mean_x[..., None], y - mean_y[..., None]
    xx, yy, xy = (dx**2).sum(axis=-1), (dy**2).sum(axis=-1), (dx * dy).sum(axis=-1)
    rising = xy > 1e-12
    slope = np.full_like(np.asarray(xy), np.nan)
    np.divide(yy - xx + np.sqrt((yy - xx) ** 2 + 4 * xy**2), 2 * xy, out=slope, where=rising)
    return mean_y - slope * mean_x, slope


def _estimate(value: float, drawn: FloatArray, n: int, level: float) -> Estimate:
    interval = _percentile(drawn, level)
    return Estimate(value, interval, n, "" if interval else "undefined in too many resamples")


def _percentile(drawn: FloatArray, level: float) -> Interval | None:
    defined = drawn[~np.isnan(drawn)]
    if len(defined) < (1 - _MOST_UNDEFINED) * len(drawn):
        return None
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(low), float(high), level, "percentile")


def _logit(rates: FloatArray, n: FloatArray) -> FloatArray:
    moved = (rates * n + 0.5) / (n + 1)
    logits: FloatArray = np.log(moved / (1 - moved))
    return logits


def _share(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))
