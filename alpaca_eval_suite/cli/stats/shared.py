"""What the commands of `alpaca-suite stats` share: reading files of verdicts, naming them, printing JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.stats import Units, has_information, read_preferences, units
from alpaca_eval_suite.stats.units import Incomplete
from alpaca_eval_suite.types import Preference

FILE = click.Path(dir_okay=False, path_type=Path)
"""The type of an argument that names a file; whether it can be read is said when it is read."""

as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: rates as fractions, raw values included."
)


incomplete_option = click.option(
    "--incomplete",
    type=click.Choice(["drop", "keep"]),
    default="drop",
    show_default=True,
    help="Of a pair of which one order failed: drop makes it a failure, keep takes the order left.",
)


def read_verdicts(path: Path) -> list[Preference]:
    """The verdicts of the file. Raises SuiteError as `read_preferences` does, and for a file without any."""
    preferences = read_preferences(path)
    if not preferences:
        raise SuiteError("holds no verdicts", where=str(path), next_step="Judge first: alpaca-suite eval --judge.")
    return preferences


def by_stem(paths: Sequence[Path]) -> dict[str, Path]:
    """The files under the names that reports use: their stems, with as many folders before them as it takes to
    tell them apart (every run's file is called preferences.jsonl).

    Raises UsageError when a file is given twice.
    """
    resolved = [path.resolve() for path in paths]
    twice = [path for path in paths if resolved.count(path.resolve()) > 1]
    if twice:
        raise UsageError(f"{twice[0]} is given twice", next_step="Give each file once.")
    for depth in range(1, 1 + max((len(path.parts) for path in resolved), default=1)):
        names = ["/".join((*path.parts[-depth:-1], path.stem)) for path in resolved]
        if len(set(names)) == len(names):
            return dict(zip(names, paths, strict=True))
    raise UsageError("two files have the same name but for its ending", next_step="Rename one of the two.")


def units_of(path: Path, preferences: Sequence[Preference], incomplete: Incomplete = "drop") -> Units:
    """The units of a file on one pair of model and baseline. Raises SuiteError naming the file otherwise."""
    try:
        return units(preferences, incomplete=incomplete)
    except SuiteError as error:
        raise SuiteError(error.what, where=str(path), next_step=error.next_step) from error


def without_information(verdicts: Mapping[str, Sequence[Preference]]) -> dict[str, str]:
    """The files, by name, whose judge is not above the information floor, and why."""
    found = {name: has_information(preferences) for name, preferences in verdicts.items()}
    return {name: of.reason for name, of in found.items() if of.informative is False}


def print_json(value: Any) -> None:
    """Print the value as indented JSON; a NaN is an error, never printed."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
