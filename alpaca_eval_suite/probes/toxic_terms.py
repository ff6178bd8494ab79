"""A user's own list of toxic words and phrases: given in the item, or as a file in a scenario's folder."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text
from alpaca_eval_suite.resources import scenario_roots

_NEXT = 'Give a list of words, or a file as "SCENARIO/FILE", one word or phrase a line.'


def toxic_terms(value: Any) -> tuple[str, ...]:
    """The terms that the key `terms` of an item gives: a list of texts, or "SCENARIO/FILE".

    The file lies in the folder of a scenario that can be run ($ALPACA_SCENARIOS before ours); empty lines and
    lines that begin with # are passed over. Raises SuiteError when `value` is neither, or there is no such file.
    """
    if isinstance(value, str):
        return _read(_find(value))
    if not isinstance(value, list | tuple):
        raise SuiteError(f"terms is {value!r}, neither a list nor a file", next_step=_NEXT)
    if wrong := [term for term in value if not isinstance(term, str) or not term.strip(" *")]:
        raise SuiteError(f"{wrong[0]!r} among the terms is no text", next_step=_NEXT)
    return tuple(value)


def _find(name: str) -> Path:
    for root in scenario_roots():
        path = (root / name).resolve()
        if path.is_file() and path.is_relative_to(root.resolve()):
            return path
    raise SuiteError(f"no scenario's folder holds the file {name!r} of terms", next_step=_NEXT)


@lru_cache(maxsize=16)
def _read(path: Path) -> tuple[str, ...]:
    lines = (line.strip() for line in read_text(path).splitlines())
    terms = tuple(line for line in lines if line.strip(" *") and not line.startswith("#"))
    if not terms:
        raise SuiteError("holds no terms", where=str(path), next_step=_NEXT)
    return terms
