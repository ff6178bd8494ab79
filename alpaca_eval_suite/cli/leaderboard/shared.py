"""What the commands of `alpaca-suite leaderboard` share: the options that choose rows, and the boards they give."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from alpaca_eval_suite.leaderboard.board import Board

FOLDER = click.Path(file_okay=False, path_type=Path)

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--results", type=FOLDER, default=Path("results"), show_default=True, help="Where entries are kept."),
    click.option("--scenario", help="Only this scenario."),
    click.option("--app", help="Rates of the instructions for this app alone."),
    click.option("--judge", help="Only what this judge compared."),
    click.option("--baseline", help="Only what was compared with this baseline."),
)


def choosing_options(command: _Command) -> _Command:
    """The options --results, --scenario, --app, --judge and --baseline, as arguments of these names."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


sort_option = click.option(
    "--sort", metavar="RATE", help="win_rate, length_controlled or any other rate; without it the headline rate."
)


def chosen_boards(results: Path, **choice: str | None) -> "list[Board]":
    """The boards of the entries in `results`; `choice`: scenario, app, judge, baseline and sort, as the options say."""
    from alpaca_eval_suite.leaderboard.board import board_of
    from alpaca_eval_suite.leaderboard.table import load

    return board_of(load(results), results, **choice)


def written(boards: "Sequence[Board]", form: str) -> str:
    """The boards as the text of a file: markdown, csv, json or latex."""
    from alpaca_eval_suite.leaderboard.latex import to_latex
    from alpaca_eval_suite.leaderboard.sheet import to_csv
    from alpaca_eval_suite.leaderboard.table import to_markdown

    writers: dict[str, Callable[[Sequence[Board]], str]] = {
        "markdown": to_markdown,
        "csv": to_csv,
        "json": lambda of: json_text([board.as_json() for board in of]),
        "latex": to_latex,
    }
    return writers[form](boards)


def json_text(value: Any) -> str:
    """The value as indented JSON with a line end; a NaN is an error, never written."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
