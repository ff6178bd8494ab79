"""What all importers have in common: what is not known, and reading what other programs wrote without trusting it."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.judge.reply import sendable
from alpaca_eval_suite.leaderboard.raw import RawItem
from alpaca_eval_suite.leaderboard.record import RunRecord
from alpaca_eval_suite.versions import versions_of

Imported = tuple[RunRecord, list[RawItem]]
"""A run with every number that follows from its items; no items where only figures were published."""

NOTICED = 1e-4
"""A rate that differs from the published one by more than this, .01 point, is noted."""

_LONGEST_NAME = 300


def require(path: Path, what: str) -> None:
    """Raises UsageError where there is nothing at `path`, which is to be `what`."""
    if not path.exists():
        raise UsageError("there is no such file or folder", where=str(path), next_step=f"Give {what}.")


def date_of_file(path: Path) -> str:
    """When the file was written, UTC: the best there is where a file names no date."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    except OSError as error:
        raise SuiteError(f"cannot be read ({error.strerror or error})", where=str(path)) from error


def date_of(seconds: float | None, path: Path) -> str:
    """The moment `seconds` after 1970, UTC; when the file was written, where that is None or no date."""
    if seconds is not None:
        try:
            return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
        except (ValueError, OverflowError, OSError):
            return date_of_file(path)  # a number beyond all calendars
    return date_of_file(path)


def versions(others: Mapping[str, object] | None = None) -> dict[str, str]:
    """The versions of what made the numbers, and of what was imported as far as it names them."""
    named = {name: text(value) for name, value in (others or {}).items() if isinstance(value, str | int | float)}
    return {**versions_of(["alpaca-eval-suite"]), **named}


def text(value: object) -> str:
    """`value` as a text that every file can hold: half a surrogate pair becomes "?"."""
    return sendable(value if isinstance(value, str) else str(value))


def text_or_none(value: object) -> str | None:
    """The text, None where `value` is no text."""
    return sendable(value) if isinstance(value, str) else None


def name_of(row: Mapping[str, Any], key: str, where: str, default: str) -> str:
    """The name under `key`, `default` where there is none. Raises SuiteError for what is no name."""
    value = row.get(key)
    if value is None or value == "":
        return default
    if not isinstance(value, str) or len(value) > _LONGEST_NAME:
        raise bad(key, f"must be a name of at most {_LONGEST_NAME} characters", where)
    return sendable(value)


def object_at(row: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    """The object under `key`, empty where there is none. Raises SuiteError for anything else."""
    value = row.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad(key, "must be an object", where)
    return value


def number(value: object) -> float | None:
    """`value` as a finite number (true is 1), None where it is none."""
    if not isinstance(value, bool | int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def whole(value: object) -> int | None:
    """`value` where it is an integer of at least 0, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def bad(key: str, problem: str, where: str) -> SuiteError:
    """The error for a key that is not as it must be."""
    return SuiteError(f"key {key!r}: {problem}", where=where)


def percent(rate: float) -> str:
    """A rate as it is printed in notes, with the two digits in which published tables are compared."""
    return f"{100 * rate:.2f} %"
