"""Records and entries that older versions wrote, brought to the present form; those of newer ones are refused."""

import json
from pathlib import Path
from typing import Any, Literal

from alpaca_eval_suite.errors import SuiteError

SCHEMA_VERSION: Literal[2] = 2
"""Of run records and of entries. Version 1 (no raw file, no source, no judge's hash) is migrated when it is read."""

_OLDEST = 1
_NOTHING_CHANGED = "Nothing was changed."


def from_json(text: str) -> Any:
    """The JSON in `text`. Raises ValueError where it is none, such as a file that was cut off, and for a NaN."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"Invalid JSON: {error}") from error


def parsed(text: str, path: Path) -> Any:
    """`from_json`; raises SuiteError naming `path` where it raises."""
    try:
        return from_json(text)
    except ValueError as error:
        next_step = "It was cut off or edited: restore it, or make it anew."
        raise SuiteError(f"is not valid JSON ({error})", where=str(path), next_step=next_step) from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")


def migrated_run(record: Any, path: Path) -> Any:
    """A run record in the present form; what is no object is passed on, for the validation to refuse.

    Raises SuiteError for a version that this program does not know.
    """
    if version_of(record, path) != _OLDEST:
        return record
    judge = record.get("judge")
    # The seed of the run, which version 1 named with the judge alone; it is 0 unless somebody gave another.
    seed = judge.get("seed", 0) if isinstance(judge, dict) else 0
    return {**record, "schema_version": SCHEMA_VERSION, "source": "helm", "seed": seed, "raw": None}


def migrated_entry(entry: Any, path: Path) -> Any:
    """An entry in the present form, its runs with it. Raises SuiteError where `migrated_run` does."""
    version_of(entry, path)
    if not isinstance(entry, dict) or not isinstance(entry.get("runs"), list):
        return entry
    runs = [migrated_run(run, path) for run in entry["runs"]]
    return {**entry, "schema_version": SCHEMA_VERSION, "runs": runs}


def version_of(value: Any, path: Path) -> int | None:
    """The version that an object names; None for what names none, or is no object.

    Raises SuiteError for one that this program does not know.
    """
    version = value.get("schema_version") if isinstance(value, dict) else None
    if version is None:
        return None
    if isinstance(version, bool) or not isinstance(version, int) or not _OLDEST <= version <= SCHEMA_VERSION:
        newer = isinstance(version, int) and version > SCHEMA_VERSION
        raise SuiteError(
            f"is of schema_version {version!r}, this program reads {_OLDEST} to {SCHEMA_VERSION}",
            where=str(path),
            next_step=f"{_NOTHING_CHANGED} "
            + ("Update: pip install -U alpaca-eval-suite." if newer else "Restore the file, or make it anew."),
        )
    return version
