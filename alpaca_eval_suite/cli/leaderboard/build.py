"""`alpaca-suite leaderboard build`: finished runs as entries and tables."""

import json
from pathlib import Path

import click

from alpaca_eval_suite.cli.leaderboard.shared import FOLDER
from alpaca_eval_suite.leaderboard.build import DEFAULT_RESULTS, build


@click.command("build")
@click.option("--runs", type=FOLDER, default="benchmark_output", show_default=True, help="HELM's output folder.")
@click.option("--suite", "suites", multiple=True, help="Only this suite; may be given more than once.")
@click.option("--out", type=FOLDER, default=DEFAULT_RESULTS, show_default=True, help="Where entries are kept.")
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


def _results_option(out: Path) -> str:
    return "" if out == DEFAULT_RESULTS else f" --results {out}"
