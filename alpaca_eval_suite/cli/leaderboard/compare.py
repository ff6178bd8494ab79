"""`alpaca-suite leaderboard compare`: which differences between models hold, paired by id."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from alpaca_eval_suite.cli.leaderboard.shared import choosing_options, json_text

if TYPE_CHECKING:
    from rich.table import Table

    from alpaca_eval_suite.leaderboard.compare import Comparison
    from alpaca_eval_suite.stats.compare import PairOfModels


@click.command("compare")
@click.argument("models", nargs=-1, required=True, metavar="A B…")
@choosing_options
@click.option(
    "--on",
    type=click.Choice(["all", "shared"]),
    default="all",
    show_default=True,
    help="all: an id that only one of two has is an error; shared: it is dropped and counted.",
)
@click.option("--seed", default=0, show_default=True, help="Of the resampling and the permutations.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: differences as fractions.")
def compare_command(
    models: tuple[str, ...],
    results: Path,
    scenario: str | None,
    app: str | None,
    judge: str | None,
    baseline: str | None,
    on: str,
    seed: int,
    as_json: bool,
) -> None:
    """Print the differences between the models A B …, paired by id, on every scenario that all of them have.

    From the raw verdicts of their entries. With more than two models every pair is compared, and p values are
    adjusted for the number of pairs (Holm). A name is the model's, as `leaderboard show` prints it or without its
    fingerprint.

    \b
    Example:
      alpaca-suite leaderboard compare step-100 step-200 --scenario user_oriented
    """
    from alpaca_eval_suite.leaderboard.compare import compare_models
    from alpaca_eval_suite.leaderboard.table import load

    found = compare_models(
        load(results),
        results,
        models,
        scenario=scenario,
        app=app,
        judge=judge,
        baseline=baseline,
        shared_only=on == "shared",
        seed=seed,
    )
    if as_json:
        click.echo(json_text([comparison.as_json() for comparison in found]), nl=False)
        return
    for number, comparison in enumerate(found):
        if number:
            click.echo()
        _print(comparison)


def _print(comparison: "Comparison") -> None:
    from alpaca_eval_suite.leaderboard.cells import plain

    several = len(comparison.pairs) > 1
    click.echo(comparison.title)
    if several:
        from rich.console import Console

        Console().print(_matrix(comparison))
    family = f", p adjusted for {len(comparison.pairs)} pairs (Holm)" if several else ""
    click.echo(f"difference of {plain(comparison.rate.replace('_', ' '))} in points [95 % interval]{family}")
    for pair in comparison.pairs:
        click.echo(f"  {_line(pair)}")
    held = sum(pair.holds for pair in comparison.pairs)
    click.echo(f"{held} of {len(comparison.pairs)} hold at 5 %{', all pairs together' if several else ''}")


def _matrix(comparison: "Comparison") -> "Table":
    """Row less column, in points; * where the difference holds. Columns are numbered, rows named."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from alpaca_eval_suite.leaderboard.cells import plain, shortened

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), caption="row less column; * holds")
    shown.add_column("")
    for number in range(1, len(comparison.models) + 1):
        shown.add_column(str(number), justify="right", no_wrap=True)
    for number, row in enumerate(comparison.models, 1):
        cells = [Text(_cell(comparison, row, column)) for column in comparison.models]
        shown.add_row(Text(f"{number} {shortened(plain(row))}", overflow="fold"), *cells)
    return shown


def _cell(comparison: "Comparison", row: str, column: str) -> str:
    for pair, sign in ((comparison.pair(row, column), 1), (comparison.pair(column, row), -1)):
        if pair is not None and pair.difference.difference is not None:
            return f"{100 * sign * pair.difference.difference:+.1f}{'*' if pair.holds else ' '}"
    return ""


def _line(pair: "PairOfModels") -> str:
    from alpaca_eval_suite.leaderboard.cells import percent, plain

    found, names = pair.difference, f"{plain(pair.a)} - {plain(pair.b)}"
    counts = f"n {found.n_shared}, dropped {found.n_dropped}"
    if found.difference is None or found.ci is None or pair.p_holm is None:
        return f"{names}: – ({counts}; {found.reason})"
    words = "holds" if pair.holds else "does not hold"
    if found.minimum_detectable_difference is not None and not pair.holds:
        words += f"; found 8 times in 10: {percent(found.minimum_detectable_difference)}"
    ends = f"[{percent(found.ci.low)}, {percent(found.ci.high)}]"
    return f"{names}: {percent(found.difference)} {ends}, p {pair.p_holm:.2g}, {words} ({counts}; {found.ci.method})"
