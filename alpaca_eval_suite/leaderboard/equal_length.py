"""Length-controlled win rates of the rows of one comparison group, difficulties estimated from all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alpaca_eval_suite.leaderboard.record import IntervalRecord, RateRecord
from alpaca_eval_suite.stats.difficulty import ENOUGH_MODELS, estimate_difficulty
from alpaca_eval_suite.stats.length_control import length_control
from alpaca_eval_suite.stats.length_data import LengthData

_REFITS = ((10, 1_000), (100, 400))  # up to so many rows, so many refits each; 1,000 take 0.1 s
_REFITS_OF_MANY = 200


@dataclass(frozen=True)
class EqualLength:
    """A rate or the reason why there is none for each row, and in one sentence how the rates were made."""

    rates: tuple[RateRecord | str, ...]
    said: str


def equal_length(measured: Sequence[LengthData | str], recorded: Sequence[Mapping[str, Any] | None]) -> EqualLength:
    """The length-controlled win rate of each row of which `measured` holds wins and lengths, or why it cannot.

    The instruction difficulties are estimated from all rows together where there are five or more, and left out
    below. A row without raw verdicts has the rate that its run recorded, if any: without difficulties, too.
    """
    fitted = [data for data in measured if isinstance(data, LengthData) and _has_lengths(data)]
    # Rows with failures: the joint fit passes over ids without a win.
    difficulty = estimate_difficulty(fitted) if len(fitted) >= ENOUGH_MODELS else None
    refits = next((refits for most, refits in _REFITS if len(fitted) <= most), _REFITS_OF_MANY)
    rates: list[RateRecord | str] = []
    n_recorded = 0
    for data, own in zip(measured, recorded, strict=True):
        if isinstance(data, LengthData):
            known = difficulty if _has_lengths(data) else None
            found = length_control(data, difficulty=known, source="estimated", refits=refits).as_json()
            rates.append(_rate(found))
        elif own is not None:
            rates.append(_rate(own))
            n_recorded += isinstance(rates[-1], RateRecord)
        else:
            rates.append(data)
    return EqualLength(tuple(rates), _said(len(fitted), difficulty is not None, n_recorded))


def _has_lengths(data: LengthData) -> bool:
    return len(data.ids) > 0 and not np.isnan(data.difference).any()


def _rate(found: Mapping[str, Any]) -> RateRecord | str:
    if found["lc_win_rate"] is None:
        return str(found["reason"])
    ci = IntervalRecord(**found["ci"]) if found["ci"] else None
    return RateRecord(value=found["lc_win_rate"], ci=ci, n=found["n"], n_failed=found["n_failed"])


def _said(n_fitted: int, with_difficulty: bool, n_recorded: int) -> str:
    parts = []
    if with_difficulty:
        parts.append(f"instruction difficulties estimated from the {n_fitted} rows together")
    elif n_fitted:
        parts.append(f"without instruction difficulties, which need {ENOUGH_MODELS} rows")
    if n_recorded:
        parts.append(f"{n_recorded} as the run recorded it")
    return "; ".join(parts)
