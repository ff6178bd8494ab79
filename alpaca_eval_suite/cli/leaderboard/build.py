"""`alpaca-suite leaderboard build`: finished runs as entries and tables."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alpaca_eval_suite.leaderboard.importers import IMPORTERS, read_all

if TYPE_CHECKING:
    from alpaca_eval_suite.leaderboard.build import Found

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)

_RUNS = Path("benchmark_output")
_OUT = Path("results")


def _import_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each importer, as an argument of its name."""
    for importer in reversed(IMPORTERS):
        option = click.option(
            f"--{importer.option}",
            multiple=True,
            type=click.Path(path_type=Path),
            metavar=importer.metavar,
            help=importer.help,
        )
        command = option(command)
    return command


@click.command("build")
@click.option("--runs", type=_FOLDER, help=f"HELM's output folder; {_RUNS} where nothing else is given.")
@click.option("--suite", "suites", multiple=True, help="Only this suite of it; may be given more than once.")
@click.option("--judge-run", "judge_runs", multiple=True, type=_FILE, metavar="PREFERENCES.jsonl",
              help="The verdicts of judge run, its record beside them; may be given more than once.")  # fmt: skip
@click.option("--votes", multiple=True, type=_FILE, metavar="VOTES.jsonl",
              help="People's verdicts (judge human:NAME); may be given more than once.")  # fmt: skip
@_import_options
@click.option("--outputs", multiple=True, type=_FILE, metavar="FILE",
              help="Where outputs lie that were judged, if not beside the verdicts or here.")  # fmt: skip
@click.option("--scenario", metavar="NAME", help="What verdicts and votes are of that name no scenario.")
@click.option("--out", type=_FOLDER, default=_OUT, show_default=True, help="Where entries are kept.")
@click.option("--force", is_flag=True, help="Put entries aside that cannot be read, and go on.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def build_command(
    runs: Path | None,
    suites: tuple[str, ...],
    judge_runs: tuple[Path, ...],
    votes: tuple[Path, ...],
    outputs: tuple[Path, ...],
    scenario: str | None,
    out: Path,
    force: bool,
    as_json: bool,
    **imported: tuple[Path, ...],
) -> None:
    """Put finished runs into one JSON entry a model, then write leaderboard.md and leaderboard.csv.

    The answers and verdicts behind the numbers go to OUT/raw, so that anybody can check them (leaderboard verify).
    Entries that are there already are kept; a newer run replaces the same older one, never the other way.

    \b
    Examples:
      alpaca-suite leaderboard build --runs benchmark_output --suite my-suite --out results
      alpaca-suite leaderboard build --judge-run preferences.jsonl --votes votes.jsonl
    """
    from alpaca_eval_suite.leaderboard.build import build

    warnings: list[str] = []

    def warn(message: str) -> None:
        warnings.append(message)
        click.echo(f"warning: {message}", err=True)

    given = [(importer, path) for importer in IMPORTERS for path in imported[importer.option.replace("-", "_")]]

    def others() -> "Iterator[Found]":
        yield from _judged(judge_runs, outputs, scenario, warn)
        yield from _voted(votes, scenario, warn)
        yield from read_all(given)

    alone = not (judge_runs or votes or given)
    helm = runs or (_RUNS if alone or suites else None)
    written = build(helm, out, suites=suites, others=others(), force=force, warn=warn)
    if as_json:
        click.echo(json.dumps({"written": [str(path) for path in written], "warnings": warnings}, indent=2))
        return
    for path in written:
        click.echo(f"wrote {path}")
    results = "" if out == _OUT else f" --results {out}"
    click.echo(f"To see the table: alpaca-suite leaderboard show{results}")


def _judged(
    paths: Sequence[Path], outputs: Sequence[Path], scenario: str | None, warn: Callable[[str], None]
) -> "Iterator[Found]":
    from alpaca_eval_suite.leaderboard.from_judge_run import run_of_judging

    for path in paths:
        yield run_of_judging(path, outputs=outputs, scenario=scenario, warn=warn)


def _voted(paths: Sequence[Path], scenario: str | None, warn: Callable[[str], None]) -> "Iterator[Found]":
    from alpaca_eval_suite.leaderboard.from_votes import runs_of_votes

    for path in paths:
        yield from runs_of_votes(path, scenario=scenario, warn=warn)
