"""`alpaca-suite leaderboard show`: the entries as tables."""

from pathlib import Path

import click

from alpaca_eval_suite.cli.leaderboard.shared import choosing_options, chosen_boards, sort_option, written


@click.command("show")
@choosing_options
@sort_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "csv", "json", "latex"]),
    default="table",
    show_default=True,
    help="json holds everything, rates as fractions.",
)
def show_command(
    results: Path,
    scenario: str | None,
    app: str | None,
    judge: str | None,
    baseline: str | None,
    sort: str | None,
    form: str,
) -> None:
    """Show the entries as tables, each rate in percent with its interval and its rank with the ranks that the data
    allow.

    \b
    Example:
      alpaca-suite leaderboard show --scenario capitals --format markdown
      alpaca-suite leaderboard show --judge builtin:checks --sort length_controlled
    """
    from alpaca_eval_suite.leaderboard.table import to_rich

    boards = chosen_boards(results, scenario=scenario, app=app, judge=judge, baseline=baseline, sort=sort)
    if form != "table":
        click.echo(written(boards, form), nl=False)
        return
    from rich.console import Console

    console = Console()
    console.print(to_rich(boards, width=console.width))
