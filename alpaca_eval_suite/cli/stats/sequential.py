"""`alpaca-suite stats sequential`: a running win rate that may be looked at after every id."""

from pathlib import Path

import click

from alpaca_eval_suite.cli.stats.shared import (
    FILE,
    as_json_option,
    incomplete_option,
    print_json,
    read_verdicts,
    units_of,
    without_information,
)
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows
from alpaca_eval_suite.leaderboard.cells import percent
from alpaca_eval_suite.stats import Sequential, sequential
from alpaca_eval_suite.stats.units import Incomplete

_SHOWN = 10  # looks in the text


@click.command("sequential")
@click.argument("file", type=FILE)
@click.option("--seed", default=0, show_default=True, help="Of the order of the ids, drawn before any was judged.")
@click.option("--of", "whole", type=FILE, help="JSON Lines with the id of every instruction, where FILE is in part.")
@incomplete_option
@as_json_option
def sequential_command(file: Path, seed: int, whole: Path | None, incomplete: Incomplete, as_json: bool) -> None:
    """Print the win rate of FILE after each id of an order drawn at random, with an interval that stays valid
    however often one looks, and the first look at which it leaves out 50 %.

    The order must have been drawn before judging: it does not depend on which verdicts came first.

    \b
    Example:
      alpaca-suite stats sequential preferences.jsonl --seed 1
    """
    verdicts = read_verdicts(file)
    found = sequential(units_of(file, verdicts, incomplete), ids=_ids(whole), seed=seed)
    withheld = without_information({file.stem: verdicts})
    if as_json:
        print_json({**found.as_json(), "no_information": withheld})
        return
    click.echo("\n".join(withheld.values()) if withheld else _text(found))


def _ids(path: Path | None) -> list[str] | None:
    if path is None:
        return None
    ids = []
    for where, row in read_rows(path):
        if not isinstance(row.get("id"), str):
            raise SuiteError("key 'id': must be a string", where=where)
        ids.append(row["id"])
    return ids


def _text(found: Sequential) -> str:
    lines = [f"{100 * found.level:g} % confidence sequence, ids in the order of seed {found.seed}"]
    if not found.looks:
        return f"{lines[0]}\n  the first id of the order has no verdict yet (0 of {found.n_total})"
    steps = range(_SHOWN, 0, -1)
    for n in sorted({-(-len(found.looks) // step) for step in steps} | {found.decided_at or len(found.looks)}):
        look = found.looks[n - 1]
        rate = "–" if look.win_rate is None else percent(look.win_rate)
        lines.append(f"  after {look.n}: {rate} [{percent(look.low)}, {percent(look.high)}] %")
    counts = f"{len(found.looks)} of {found.n_total} ids, failed {found.n_failed}"
    if found.decided_at is None:
        lines.append(f"undecided ({counts})")
    else:
        lines.append(f"the {found.decision} is preferred: decided after {found.decided_at} ({counts})")
    return "\n".join(lines)
