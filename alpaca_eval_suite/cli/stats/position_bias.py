"""`alpaca-suite stats position-bias`: what the order of the two outputs does to each judge."""

from pathlib import Path
from typing import Any

import click

from alpaca_eval_suite.cli.stats.shared import FILE, as_json_option, print_json, read_verdicts
from alpaca_eval_suite.leaderboard.cells import percent, plain
from alpaca_eval_suite.stats import first_shown_rate, has_information
from alpaca_eval_suite.types import Rate


@click.command("position-bias")
@click.argument("file", type=FILE)
@as_json_option
def position_bias_command(file: Path, as_json: bool) -> None:
    """Print for each judge in FILE how often the output shown first wins, how often both orders agree, and
    whether that is more than a judge who does not look would reach.

    \b
    Example:
      alpaca-suite stats position-bias preferences.jsonl
    """
    verdicts = read_verdicts(file)
    report: dict[str, Any] = {"judges": {}}
    lines = []
    for judge in sorted({p.judge for p in verdicts}):
        own = [p for p in verdicts if p.judge == judge]
        first, information = first_shown_rate(own), has_information(own)
        report["judges"][judge] = {
            "first_shown": first.as_json(),
            "order_consistency": information.consistency.as_json(),
            "floor": information.floor,
            "informative": information.informative,
            "reason": information.reason,
        }
        lines += [
            f"{plain(judge)}:",
            f"  first shown wins: {_text(first)}",
            f"  both orders agree: {_text(information.consistency)}",
            f"  {information.reason}",
        ]
    if as_json:
        print_json(report)
        return
    click.echo("\n".join(lines))


def _text(rate: Rate) -> str:
    counts = f"n {rate.n}, failed {rate.n_failed}"
    if rate.estimate is None or rate.interval is None:
        return f"– ({counts})"
    ends = f"[{percent(rate.interval.low)}, {percent(rate.interval.high)}]"
    return f"{percent(rate.estimate)} {ends} % ({counts}; {rate.interval.method})"
