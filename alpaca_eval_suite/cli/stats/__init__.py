"""`alpaca-suite stats`: what files of verdicts say, with intervals. One module a command."""

import click

from alpaca_eval_suite.cli.lazy import LazyCommand, LazyGroup

_HERE = "alpaca_eval_suite.cli.stats"

_COMMANDS = {
    "win-rate": LazyCommand(f"{_HERE}.win_rate:win_rate_command", "The win rate of each model in a file."),
    "compare": LazyCommand(f"{_HERE}.compare:compare_command", "Two models or more on the same ids: which differ."),
    "rank": LazyCommand(f"{_HERE}.rank:rank_command", "Many models on one scale, with the ranks the data allow."),
    "sequential": LazyCommand(f"{_HERE}.sequential:sequential_command", "A running win rate that may be looked at."),
    "position-bias": LazyCommand(f"{_HERE}.position_bias:position_bias_command", "What the order does to a judge."),
    "power": LazyCommand(f"{_HERE}.power:power_command", "How many instructions a run needs."),
    "length-control": LazyCommand(f"{_HERE}.length_control:length_control_command", "Win rates at equal lengths."),
    "agreement": LazyCommand(f"{_HERE}.agreement:agreement_command", "How far people agree, and judges with them."),
    "sample": LazyCommand(f"{_HERE}.calibrate:sample_command", "Which ids people are to label."),
    "calibrate": LazyCommand(f"{_HERE}.calibrate:calibrate_command", "The win rate that people would give."),
    "guards": LazyCommand(f"{_HERE}.guards:guards_command", "What makes a file of outputs suspicious."),
}


@click.group("stats", cls=LazyGroup, lazy=_COMMANDS)
def stats_group() -> None:
    """What files of verdicts (preferences.jsonl) say, with intervals.

    \b
    Example:
      alpaca-suite stats win-rate preferences.jsonl
      alpaca-suite stats compare step-100.jsonl step-200.jsonl
    """
