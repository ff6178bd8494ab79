"""`alpaca-suite leaderboard diff`: why two entries of one model differ."""

from pathlib import Path

import click

from alpaca_eval_suite.cli.leaderboard.shared import json_text

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("diff")
@click.argument("mine", type=_FILE)
@click.argument("published", type=_FILE)
@click.option("--scenario", help="The runs on this scenario; of an entry without it, those on any.")
@click.option("--judge", help="The runs that this judge compared; of an entry without it, those of any.")
@click.option("--baseline", help="The runs against this baseline; of an entry without it, those of any.")
@click.option("--run", metavar="KEY", help="The run of MINE, where names do not tell; the error lists keys.")
@click.option("--published-run", metavar="KEY", help="The run of PUBLISHED.")
@click.option("--seed", default=0, show_default=True, help="Of the resampling and the permutations.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: differences as fractions.")
def diff_command(
    mine: Path,
    published: Path,
    scenario: str | None,
    judge: str | None,
    baseline: str | None,
    run: str | None,
    published_run: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Why does the rate in the entry MINE differ from that in the entry PUBLISHED?

    The difference is split into parts that add up to it: tie rule, failures, items, orders, prompt, outputs and
    decoding, baseline's outputs, judge, noise. What the data do not tell is said. Without scenario, judge or
    baseline, the two runs that have most in common are taken.

    \b
    Example:
      alpaca-suite leaderboard diff results/mine-1a2b3c4d.json published/mine-9f8e7d6c.json --scenario user_oriented
    """
    from alpaca_eval_suite.leaderboard.difference import Choice, explain
    from alpaca_eval_suite.leaderboard.difference.text import to_text

    choice = Choice(scenario, judge, baseline, run, published_run)
    found = explain(mine, published, choice, seed=seed)
    if as_json:
        click.echo(json_text(found.as_json()), nl=False)
    else:
        click.echo(to_text(found))
