"""`alpaca-suite leaderboard`: make entries and tables from runs, and show them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from alpaca_eval_suite.leaderboard.build import DEFAULT_RESULTS, build
from alpaca_eval_suite.leaderboard.entry import Entry
from alpaca_eval_suite.leaderboard.sheet import to_csv
from alpaca_eval_suite.leaderboard.table import load, show, to_markdown

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group("leaderboard")
def leaderboard_group() -> None:
    """Make entries and tables from runs, and show them.

    \b
    Example:
      alpaca-suite leaderboard build --suite my-suite
    """


@leaderboard_group.command("build")
@click.option("--runs", type=_FOLDER, default="benchmark_output", show_default=True, help="HELM's output folder.")
@click.option("--suite", "suites", multiple=True, help="Only this suite; may be given more than once.")
@click.option("--out", type=_FOLDER, default=DEFAULT_RESULTS, show_default=True, help="Where entries are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def build_command(runs: Path, suites: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Put finished runs into one JSON entry a model, then write leaderboard.md and leaderboard.csv.

    Entries that are there already are kept; a newer run replaces the same older one, never the other way.

    \b
    Example:
      alpaca-suite leaderboard build --runs benchmark_output --suite my-suite --out results
    """
    warnings: list[str] = []

    def warn(message: str) -> None:
        warnings.append(message)
        click.echo(f"warning: {message}", err=True)

    written = build(runs, out, suites=suites, warn=warn)
    if as_json:
        click.echo(json.dumps({"written": [str(path) for path in written], "warnings": warnings}, indent=2))
        return
    for path in written:
        click.echo(f"wrote {path}")
    click.echo("To see the table: alpaca-suite leaderboard show" + _results_option(out))


@leaderboard_group.command("show")
@click.option("--results", type=_FOLDER, default=DEFAULT_RESULTS, show_default=True, help="Where entries are kept.")
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


def _results_option(out: Path) -> str:
    return "" if out == DEFAULT_RESULTS else f" --results {out}"
