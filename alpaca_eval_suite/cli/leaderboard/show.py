"""`alpaca-suite leaderboard show`: the entries as tables."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from alpaca_eval_suite.cli.leaderboard.shared import FOLDER
from alpaca_eval_suite.leaderboard.build import DEFAULT_RESULTS
from alpaca_eval_suite.leaderboard.entry import Entry
from alpaca_eval_suite.leaderboard.sheet import to_csv
from alpaca_eval_suite.leaderboard.table import load, show, to_markdown


@click.command("show")
@click.option("--results", type=FOLDER, default=DEFAULT_RESULTS, show_default=True, help="Where entries are kept.")
@click.option("--scenario", help="Only the rows of this scenario.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "csv", "json"]),
    default="table",
    show_default=True,
    help="json holds everything, rates as fractions.",
)
def show_command(results: Path, scenario: str | None, form: str) -> None:
    """Show the entries as tables, each rate in percent with its interval.

    \b
    Example:
      alpaca-suite leaderboard show --scenario capitals --format markdown
    """
    if form == "table":
        from rich.console import Console

        show(results, Console(), scenario)
        return
    made: dict[str, Callable[[Sequence[Entry]], str]] = {
        "markdown": to_markdown,
        "csv": to_csv,
        "json": _to_json,
    }
    click.echo(made[form](load(results, scenario)), nl=False)


def _to_json(entries: Sequence[Entry]) -> str:
    dumped = [entry.model_dump(mode="json") for entry in entries]
    return json.dumps(dumped, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
