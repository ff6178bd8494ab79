"""`alpaca-suite leaderboard`: make entries and tables from runs, and show them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.leaderboard.build import DEFAULT_RESULTS, build
from alpaca_eval_suite.leaderboard.entry import Entry, read_entries
from alpaca_eval_suite.leaderboard.sheet import to_csv
from alpaca_eval_suite.leaderboard.table import to_markdown, to_rich

_FOLDER = click.Path(file_okay=False, path_type=Path)
_PIPE_WIDTH = 140  # columns of a table that is not read on a terminal


@click.group("leaderboard")
def leaderboard_group() -> None:
    """Make entries and tables from runs, and show them.

    \b
    Example:
      alpaca-suite leaderboard build --suite my-suite
    """


@leaderboard_group.command("build")
@click.option(
    "--runs", type=_FOLDER, default="benchmark_output", show_default=True, help="HELM's output folder."
)
@click.option("--suite", "suites", multiple=True, help="Only this suite; may be given more than once.")
@click.option(
    "--out", type=_FOLDER, default=DEFAULT_RESULTS, show_default=True, help="Where entries are kept."
)
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
@click.option(
    "--results", type=_FOLDER, default=DEFAULT_RESULTS, show_default=True, help="Where entries are kept."
)
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
    entries = _entries(results, scenario)
    if form == "table":
        _print_table(entries)
        return
    made: dict[str, Callable[[Sequence[Entry]], str]] = {
        "markdown": to_markdown,
        "csv": to_csv,
        "json": _to_json,
    }
    click.echo(made[form](entries), nl=False)


def _entries(results: Path, scenario: str | None) -> list[Entry]:
    """The entries of `results`, with the runs of `scenario` alone where it is given."""
    entries = list(read_entries(results).values())
    if not entries:
        raise SuiteError(
            "holds no entries",
            where=str(results),
            next_step="Make them first: alpaca-suite leaderboard build.",
        )
    if scenario is None:
        return entries
    known = sorted({run.scenario.name for entry in entries for run in entry.runs})
    if scenario not in known:
        raise UsageError(f"no entry has a scenario {scenario!r}", next_step=f"There are: {', '.join(known)}.")
    chosen = [
        entry.model_copy(update={"runs": tuple(run for run in entry.runs if run.scenario.name == scenario)})
        for entry in entries
    ]
    return [entry for entry in chosen if entry.runs]


def _to_json(entries: Sequence[Entry]) -> str:
    dumped = [entry.model_dump(mode="json") for entry in entries]
    return json.dumps(dumped, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _print_table(entries: Sequence[Entry]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, _PIPE_WIDTH)
    console.print(to_rich(entries))


def _results_option(out: Path) -> str:
    return "" if out == DEFAULT_RESULTS else f" --results {out}"
