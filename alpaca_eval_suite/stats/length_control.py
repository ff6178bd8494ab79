"""The length-controlled win rate: what a model would win if its answers were as long as the baseline's.

>>> verdicts = [Preference(str(n), float(n % 2), len_model=100 + n % 7, len_baseline=100) for n in range(60)]
>>> round(length_control(LengthData.of(verdicts)).lc_win_rate, 2)
0.47
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.length_data import Auxiliary, LengthData, aligned
from alpaca_eval_suite.stats.length_design import (
    Design,
    Penalty,
    equal_length_rate,
    fit,
    make_design,
    resampled_rates,
)
from alpaca_eval_suite.stats.length_peer import peer_penalty
from alpaca_eval_suite.stats.units import ROUNDING, TIE
from alpaca_eval_suite.stats.win_rate import FEW
from alpaca_eval_suite.types import Interval

FloatArray = npt.NDArray[np.float64]
DifficultySource = Literal["given", "estimated", "left out"]

RIDGE = 0.01
"""ridge/2·‖β‖² is added to the loss: a normal prior with a standard deviation of 10 on every coefficient."""

_LEAST = 10  # ids: three coefficients fit fewer than this almost whatever they say
_NAMED = 10


@dataclass(frozen=True)
class LengthControl:
    """The length-controlled win rate `lc_win_rate` beside the raw `win_rate`; `reason` says why one is None.

    `se` and `ci` come from refits on resampled ids. `difficulty` says where the instruction difficulties come
    from. `constant`, `length_effect` and `difficulty_effect` are a, b and c of the fit. `lc_win_rate_by_id` is
    given by the peer's method alone: the same fit with difficulties joined on id.
    """

    n: int
    n_failed: int
    win_rate: float | None
    lc_win_rate: float | None
    se: float | None
    ci: Interval | None
    difficulty: DifficultySource
    reason: str = ""
    constant: float | None = None
    length_effect: float | None = None
    difficulty_effect: float | None = None
    lc_win_rate_by_id: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The public form; rates are fractions."""
        return {
            "n": self.n,
            "n_failed": self.n_failed,
            "win_rate": self.win_rate,
            "lc_win_rate": self.lc_win_rate,
            "se": self.se,
            "ci": self.ci.as_json() if self.ci else None,
            "reason": self.reason,
            "difficulty": self.difficulty,
            "constant": self.constant,
            "length_effect": self.length_effect,
            "difficulty_effect": self.difficulty_effect,
            "lc_win_rate_by_id": self.lc_win_rate_by_id,
        }


def length_control(
    data: LengthData,
    *,
    difficulty: Mapping[str, float] | None = None,
    source: DifficultySource = "given",
    auxiliary: Auxiliary | None = None,
    refits: int = 1000,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> LengthControl:
    """P = σ(a + b·tanh((len_model − len_baseline)/sd) + c·γ_id), then its mean over ids with the length term at 0.

    Dubois, Galambosi, Liang and Hashimoto (2024), "Length-controlled AlpacaEval", fitted to fractional wins with a
    fixed ridge. `difficulty` is γ by id (None: the term is left out), `source` where it comes from; `auxiliary`
    rows share b and c. The interval is the percentile interval over `refits` refits on resampled ids, sd and γ held
    fixed. Every figure is finite, or None with the reason.
    Raises SuiteError naming the ids that have no difficulty.
    """
    rng = np.random.default_rng(rng)
    valid = data.valid()
    if difficulty is None:
        source = "left out"
    gamma = None if difficulty is None else aligned(difficulty, valid.ids, "the difficulties")
    reason = _why_not(valid)
    raw = float(valid.wins.mean()) if len(valid.ids) else None
    if reason:
        return LengthControl(len(valid.ids), data.n_failed, raw, None, None, None, source, reason)
    design = make_design(valid.ids, valid.wins, standardised(valid.difference), gamma, auxiliary)
    return _fitted(design, valid, data.n_failed, source, Penalty(ridge=RIDGE), (refits, level, rng))


def peer_length_control(
    data: LengthData,
    *,
    difficulty: Mapping[str, float] | None = None,
    auxiliary: Auxiliary | None = None,
    refits: int = 1000,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> LengthControl:
    """The length-controlled win rate as AlpacaEval 0.6.6 computes it, for comparison only.

    Row k gets the k-th difficulty of the file whatever its id is, the lasso's strength comes from
    cross-validation (`peer_penalty`), and a model against itself is at 0.5. `lc_win_rate_by_id` is the same with
    difficulties joined on id, None where they do not name the ids. The interval is ours: refits on resampled
    ids, with the lasso held fixed.
    """
    rng = np.random.default_rng(rng)
    valid = data.valid()
    raw = float(valid.wins.mean()) if len(valid.ids) else None
    source: DifficultySource = "left out" if difficulty is None else "given"
    if data.same_model:
        reason = "a model against itself is at 0.5 by definition"
        return LengthControl(len(valid.ids), data.n_failed, raw, TIE, 0.0, None, source, reason, lc_win_rate_by_id=TIE)
    reason = _why_not(valid)
    if not reason and difficulty is not None and len(difficulty) < len(data.ids):
        reason = f"{len(data.ids)} rows, but the difficulties have {len(difficulty)}: they cannot be joined by position"
    if reason:
        return LengthControl(len(valid.ids), data.n_failed, raw, None, None, None, source, reason)
    # A failed row weighs nothing in the fit, but its length counts in the sd and its prediction in the mean.
    counted = (~np.isnan(data.wins)).astype(np.float64)
    wins, length = np.nan_to_num(data.wins), np.nan_to_num(standardised(data.difference))

    def design_with(gamma: FloatArray | None) -> Design:
        design = make_design(data.ids, wins, length, gamma, auxiliary)
        return replace(design, weights=design.weights * np.append(counted, np.ones(len(design.weights) - len(wins))))

    by_position = None if difficulty is None else np.array(list(difficulty.values()))[: len(data.ids)]
    design = design_with(by_position)
    found = _fitted(design, valid, data.n_failed, source, peer_penalty(design), (refits, level, rng))
    by_id = None
    if difficulty is not None and difficulty.keys() >= set(data.ids):
        joined = design_with(aligned(difficulty, data.ids, "the difficulties"))
        by_id = equal_length_rate(joined, fit(joined, peer_penalty(joined)))
    return replace(found, lc_win_rate_by_id=by_id)


def standardised(difference: FloatArray) -> FloatArray:
    """Length differences over their standard deviation (ddof 1), NaN left out; all 0 where they do not vary."""
    known = difference[~np.isnan(difference)]
    sd = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    return difference / sd if sd > 0 else np.zeros_like(difference)


def _fitted(
    design: Design,
    valid: LengthData,
    n_failed: int,
    source: DifficultySource,
    penalty: Penalty,
    resampling: tuple[int, float, np.random.Generator],
) -> LengthControl:
    refits, level, rng = resampling
    coefficients = fit(design, penalty)
    raw = float(valid.wins.mean())
    if _separated(design, coefficients):
        reason = "the lengths and difficulties separate wins from losses: the fit has no finite solution"
        return LengthControl(len(valid.ids), n_failed, raw, None, None, None, source, reason)
    se, ci, reason = None, None, ""
    if np.ptp(valid.wins) < ROUNDING:
        reason = f"all {len(valid.ids)} units are equal: their spread says nothing of the error"
    else:
        rates = resampled_rates(design, coefficients, penalty, refits, rng)
        tail = (1 - level) / 2
        low, high = np.quantile(rates, [tail, 1 - tail])
        se = float(rates.std(ddof=1))
        ci = Interval(float(low), float(high), level, _method(refits, valid.wins))
    return LengthControl(
        n=len(valid.ids),
        n_failed=n_failed,
        win_rate=raw,
        lc_win_rate=equal_length_rate(design, coefficients),
        se=se,
        ci=ci,
        difficulty=source,
        reason=reason,
        constant=float(coefficients[0]),
        length_effect=float(coefficients[1]),
        difficulty_effect=float(coefficients[2]) if len(coefficients) > 2 else None,
    )


def _why_not(valid: LengthData) -> str:
    """Why no length-controlled rate can be given; empty when it can be tried."""
    n = len(valid.ids)
    if n == 0:
        return "there are no valid units"
    unknown = [id_ for id_, d in zip(valid.ids, valid.difference, strict=True) if np.isnan(d)]
    if unknown:
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        return f"len_model or len_baseline is missing for {', '.join(unknown[:_NAMED])}{more}"
    if n < _LEAST:
        return f"{n} valid unit{'s' if n > 1 else ''}: the fit needs at least {_LEAST}"
    if (valid.wins == 1).all() or (valid.wins == 0).all():
        return f"all {n} units are {'won' if valid.wins[0] else 'lost'}: the fit has no finite solution"
    if np.ptp(valid.difference) == 0 and valid.difference[0] != 0:
        return f"every length differs by {valid.difference[0]:g} characters: its effect cannot be told apart"
    return ""


def _separated(design: Design, coefficients: FloatArray) -> bool:
    """Whether the fit tells every win from every loss: without a penalty it would diverge.

    Where one outcome is a fraction, auxiliary rows included, the likelihood has its maximum.
    """
    counted = design.weights > 0
    target = design.target[counted]
    if not np.isin(target, (0.0, 1.0)).all():
        return False
    predicted = design.rows[counted] @ coefficients
    return bool(predicted[target == 1].min() > predicted[target == 0].max())


def _method(refits: int, wins: FloatArray) -> str:
    few = {"wins": int((wins > TIE).sum()), "losses": int((wins < TIE).sum())}
    scarce = [f"{count} {name}" for name, count in few.items() if count < FEW]
    note = f" (doubtful: {' and '.join(scarce)}, {FEW} of each are needed)" if scarce else ""
    return f"percentile over {refits} refits{note}"
