"""Verdicts on disk: one JSON object a line (preferences.jsonl), and AlpacaEval's annotation files.

>>> preference_to_json(Preference("7", 1.0))["win"]
1.0
"""

import json
import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows, sha256_text, write_atomic
from alpaca_eval_suite.types import ORDERS, Order, Preference

_ID_DIGITS = 16
_LONG_OR_OWN = frozenset({"id", "instruction", "output_1", "output_2"})


def read_preferences(path: str | Path) -> list[Preference]:
    """The verdicts of `path`, in the file's order.

    The file is our JSON Lines (`id` and `win` are enough, unknown keys are ignored) or a list of AlpacaEval
    annotations; its first object tells which. A null stands for an optional key that is left out.
    Raises SuiteError naming the line and the key for a value of the wrong type or range (NaN included), and
    naming the full key for a verdict that stands twice.
    """
    convert = None
    preferences: list[Preference] = []
    seen: dict[tuple[str, str, str, str, str, str, int], str] = {}
    for where, row in read_rows(Path(path)):
        if convert is None:
            convert = _from_alpaca_eval if _is_alpaca_eval(row) else _from_row
        preference = convert(row, where)
        key = preference.full_key
        if key in seen:
            raise SuiteError(
                f"the verdict ({_spell(preference)}) stands twice, first at {seen[key]}",
                where=where,
                next_step="Keep one of the two lines; a repeated judgment needs another seed.",
            )
        seen[key] = where
        preferences.append(preference)
    return preferences


def preference_to_json(preference: Preference) -> dict[str, Any]:
    """The verdict as an object of preferences.jsonl: every key, in a fixed order."""
    return {
        "id": preference.id,
        "win": preference.win,
        "model": preference.model,
        "baseline": preference.baseline,
        "judge": preference.judge,
        "order": preference.order,
        "seed": preference.seed,
        "scenario": preference.scenario,
        "len_model": preference.len_model,
        "len_baseline": preference.len_baseline,
        "slices": dict(preference.slices),
        "reason": preference.reason,
    }


def write_preferences(path: str | Path, preferences: Iterable[Preference]) -> None:
    """Write the verdicts as JSON Lines, atomically. Raises SuiteError when the file cannot be written."""
    lines = (
        json.dumps(preference_to_json(preference), ensure_ascii=False, allow_nan=False) + "\n"
        for preference in preferences
    )
    # A lone surrogate has no UTF-8 form; backslashreplace writes it as the JSON escape that it came from.
    text = "".join(lines).encode("utf-8", "backslashreplace").decode("utf-8")
    write_atomic(Path(path), text)


def alpaca_eval_win(preference: float | None) -> float | None:
    """AlpacaEval's `preference` as a win of the second output: 2 → 1, 1 → 0, 1.5 and 0 → 0.5, else p - 1.

    None (the judge failed) stays None. Raises ValueError for a number outside [1, 2] other than 0.
    """
    if preference is None:
        return None
    if preference == 0:
        return 0.5
    if not 1 <= preference <= 2:
        raise ValueError(f"{preference!r} is neither in [1, 2] nor 0")
    return float(preference) - 1


def _spell(preference: Preference) -> str:
    names = ("scenario", "id", "model", "baseline", "judge", "order", "seed")
    return ", ".join(f"{name}={value!r}" for name, value in zip(names, preference.full_key, strict=True))


def _from_row(row: Mapping[str, Any], where: str) -> Preference:
    return Preference(
        id=_identifier(row, where),
        win=_win(row, where),
        model=_text(row, "model", where, "model"),
        baseline=_text(row, "baseline", where, "baseline"),
        judge=_text(row, "judge", where, "judge"),
        scenario=_text(row, "scenario", where, ""),
        order=_order(row, where),
        seed=_integer(row, "seed", where) or 0,
        len_model=_length(row, "len_model", where),
        len_baseline=_length(row, "len_baseline", where),
        slices=_slices(row, where),
        reason=_text(row, "reason", where, ""),
    )


def _is_alpaca_eval(row: Mapping[str, Any]) -> bool:
    return "win" not in row and "preference" in row and "instruction" in row


def _from_alpaca_eval(row: Mapping[str, Any], where: str) -> Preference:
    # AlpacaEval puts the baseline first in its files (output_1), whatever order its judge saw.
    instruction = _required_text(row, "instruction", where)
    output_1 = _required_text(row, "output_1", where)
    output_2 = _required_text(row, "output_2", where)
    try:
        win = alpaca_eval_win(_number(row, "preference", where))
    except ValueError as error:
        raise _bad("preference", str(error), where) from None
    return Preference(
        id=_instruction_id(instruction, where),
        win=win,
        model=_text(row, "generator_2", where, "model"),
        baseline=_text(row, "generator_1", where, "baseline"),
        judge=_text(row, "annotator", where, "judge"),
        len_model=len(output_2),
        len_baseline=len(output_1),
        reason="" if win is not None else "the annotation file holds no preference",
    )


def _instruction_id(instruction: str, where: str) -> str:
    try:
        return sha256_text(instruction)[:_ID_DIGITS]
    except UnicodeEncodeError:
        raise _bad("instruction", "holds half of a surrogate pair", where) from None


def _bad(key: str, problem: str, where: str) -> SuiteError:
    return SuiteError(f"key {key!r}: {problem}", where=where)


def _identifier(row: Mapping[str, Any], where: str) -> str:
    value = _required_text(row, "id", where)
    if not value:
        raise _bad("id", "is empty", where)
    return value


def _required_text(row: Mapping[str, Any], key: str, where: str) -> str:
    if row.get(key) is None:
        raise _bad(key, "is missing", where)
    return _text(row, key, where, "")


def _text(row: Mapping[str, Any], key: str, where: str, default: str) -> str:
    value = row.get(key)
    if value is None:
        return default
    if not isinstance(value, str):
        raise _bad(key, f"must be a string, not {value!r}", where)
    # In a large file most texts but the ids stand in every line: one copy of each is kept.
    return value if key in _LONG_OR_OWN else sys.intern(value)


def _number(row: Mapping[str, Any], key: str, where: str) -> float | None:
    if key not in row:
        raise _bad(key, "is missing (null says that the judge failed)", where)
    value = row[key]
    # In Python a bool is an int; in JSON `true` is no number.
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise _bad(key, f"must be a number or null, not {value!r}", where)
    if isinstance(value, float) and math.isnan(value):
        raise _bad(key, "is NaN; a failed verdict is null", where)
    return value


def _win(row: Mapping[str, Any], where: str) -> float | None:
    value = _number(row, "win", where)
    if value is None:
        return None
    if not 0 <= value <= 1:
        raise _bad("win", f"must lie in [0, 1], not {value!r}", where)
    return float(value)


def _order(row: Mapping[str, Any], where: str) -> Order:
    value = _text(row, "order", where, "single")
    if value not in ORDERS:
        raise _bad("order", f"must be one of {', '.join(ORDERS)}, not {value!r}", where)
    return cast(Order, value)


def _integer(row: Mapping[str, Any], key: str, where: str) -> int | None:
    value = row.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise _bad(key, f"must be an integer, not {value!r}", where)
    return value


def _length(row: Mapping[str, Any], key: str, where: str) -> int | None:
    value = _integer(row, key, where)
    if value is not None and value < 0:
        raise _bad(key, f"must not be negative, not {value!r}", where)
    return value


def _slices(row: Mapping[str, Any], where: str) -> dict[str, str]:
    value = row.get("slices")
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise _bad("slices", f"must be an object of strings, not {value!r}", where)
    return {sys.intern(key): sys.intern(text) for key, text in value.items()}
