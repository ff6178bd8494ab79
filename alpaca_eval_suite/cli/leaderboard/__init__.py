"""`alpaca-suite leaderboard`: entries and tables from runs, and what can be shown from them. One module a command."""

import click

from alpaca_eval_suite.cli.lazy import LazyCommand, LazyGroup

_HERE = "alpaca_eval_suite.cli.leaderboard"

_COMMANDS = {
    "build": LazyCommand(f"{_HERE}.build:build_command", "Finished runs as one JSON entry a model, and the tables."),
    "show": LazyCommand(f"{_HERE}.show:show_command", "The entries as tables, each rate with its interval and rank."),
    "compare": LazyCommand(f"{_HERE}.compare:compare_command", "Two models or more, from raw verdicts: which differ."),
    "export": LazyCommand(f"{_HERE}.export:export_command", "Tables and plots as files for papers and pages."),
    "page": LazyCommand(f"{_HERE}.page:page_command", "One HTML file that opens anywhere, with every instance."),
    "verify": LazyCommand(f"{_HERE}.verify:verify_command", "Recompute every number of an entry from raw verdicts."),
    "diff": LazyCommand(f"{_HERE}.diff:diff_command", "Why two entries of one model differ."),
}


@click.group("leaderboard", cls=LazyGroup, lazy=_COMMANDS)
def leaderboard_group() -> None:
    """Make entries and tables from runs, and show, compare and check them.

    \b
    Example:
      alpaca-suite leaderboard build --suite my-suite
      alpaca-suite leaderboard show
    """
