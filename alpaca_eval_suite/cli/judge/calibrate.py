"""`alpaca-suite judge calibrate`: what a judge is worth on pairs that people labelled, kept as its card."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alpaca_eval_suite.errors import UsageError

if TYPE_CHECKING:
    from alpaca_eval_suite.judge.calibration import Material
    from alpaca_eval_suite.judge.card import JudgeCard
    from alpaca_eval_suite.judge.judged import Progress
    from alpaca_eval_suite.judge.labelled import LabelledData
    from alpaca_eval_suite.judge.work import Judge


@click.command("calibrate")
@click.option("--judge", metavar="JUDGE", help="Who is measured: FORM@MODEL, a model, a judge's file or builtin:...")
@click.option("--recorded", metavar="NAME", help="Instead: the judge of this name whose verdicts are in the file.")
@click.option(
    "--pairs", "pairs_file", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE",
    help="Labelled pairs as JSON Lines, or PandaLM's test set.",
)  # fmt: skip
@click.option("--scenario", metavar="NAME", help="The scenario that the pairs' items are of, with its checks.")
@click.option("--limit", type=click.IntRange(min=2), metavar="N", help="Only so many pairs, drawn at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of drawing, of the labels in questions.")
@click.option("--perturb", type=click.IntRange(min=0), default=50, show_default=True, metavar="N",
              help="Spoil answers of so many pairs: four more pairs each.")  # fmt: skip
@click.option("--max-cost", type=click.FloatRange(min=0), metavar="USD", help="Never spend more, earlier runs counted.")
@click.option("--retry-failed", is_flag=True, help="Ask again where a reply could not be read; that is paid again.")
@click.option("--dry-run", is_flag=True, help="Only say what it would take.")
@click.option("--readers", metavar="TEXT", help="Who labelled the pairs; their names in the file if left out.")
@click.option("--source", metavar="TEXT", help="Where the pairs come from, and their licence.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", default=Path("judge_cards"),
              show_default=True, help="Where the card goes; cards are looked for here.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the card as JSON.")
def calibrate_command(
    judge: str | None,
    recorded: str | None,
    pairs_file: Path,
    scenario: str | None,
    limit: int | None,
    seed: int,
    perturb: int,
    max_cost: float | None,
    retry_failed: bool,
    dry_run: bool,
    readers: str | None,
    source: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Measure a judge on pairs that people labelled, beside their own agreement and judges who do not read.

    The card that is made stands beside every number of this judge from then on; another model, template or decoding
    is another judge. Run it again after an interruption: nothing is asked or paid twice.

    \b
    Examples:
      alpaca-suite judge calibrate --judge letter@endpoint/judge --pairs human.jsonl --dry-run
      alpaca-suite judge calibrate --recorded gpt35_turbo --pairs pandalm_999.jsonl
    """
    from alpaca_eval_suite.judge.calibration import card_of_recorded, material_of

    if (judge is None) == (recorded is None):
        raise UsageError(
            "say who is to be measured", next_step="Give either --judge JUDGE, or --recorded NAME for verdicts in FILE."
        )
    data = _read(pairs_file, scenario)
    spoilt = perturb if recorded is None else 0  # nobody can be asked about spoilt answers
    material = material_of(data, limit=limit, perturb=spoilt, seed=seed, readers=readers, source=source)
    if recorded is not None:
        if dry_run:
            raise UsageError("--recorded asks nobody", next_step="Leave --dry-run out: it costs nothing.")
        card = card_of_recorded(recorded, material)
    else:
        found = _judge(str(judge), scenario)
        if dry_run:
            _say_estimate(found, material, out, as_json)
            return
        card = _measured(found, material, max_cost, retry_failed, out)
    _finish(card, out, as_json)


def _read(path: Path, scenario: str | None) -> "LabelledData":
    from alpaca_eval_suite.judge.labelled import read_labelled

    if scenario is None:
        return read_labelled(path)
    from alpaca_eval_suite.cards import load_card, load_instructions

    return read_labelled(path, {item.id: item for item in load_instructions(load_card(scenario))})


def _judge(name: str, scenario: str | None) -> "Judge":
    from alpaca_eval_suite.judge.builtin import NAME as CHECKS
    from alpaca_eval_suite.judge.run_setup import load_judges

    found = load_judges([name], combine=None, notice=_warn)
    if found.panel is not None:
        members = ", ".join(judge.name for judge in found.judges)
        raise UsageError(f"{name} is a panel", next_step=f"Measure its judges one by one: {members}.")
    (judge,) = found.judges
    if judge.spec.model == CHECKS and scenario is None:
        raise UsageError(f"{CHECKS} needs the checks of the items", next_step="Name their scenario: --scenario NAME.")
    return judge


def _say_estimate(judge: "Judge", material: "Material", out: Path, as_json: bool) -> None:
    from alpaca_eval_suite.judge.cache import VerdictCache
    from alpaca_eval_suite.judge.calibration import estimate_of

    found = estimate_of(judge, material, out, VerdictCache()) if judge.asker else None
    if as_json:
        pairs = {"pairs": len(material.pairs), "perturbed": len(material.made)}
        click.echo(json.dumps({**pairs, "estimate": found.as_json() if found else None}, indent=2))
        return
    click.echo(f"{len(material.pairs)} labelled pairs and {len(material.made)} with a spoilt answer")
    for line in found.lines() if found else ["nothing to be asked or paid"]:
        click.echo(line)


def _measured(
    judge: "Judge", material: "Material", max_cost: float | None, retry_failed: bool, out: Path
) -> "JudgeCard":
    from alpaca_eval_suite.cli.judge.progress import ProgressDisplay
    from alpaca_eval_suite.judge.cache import VerdictCache
    from alpaca_eval_suite.judge.calibration import ask_judge, card_of_judge, cost_of_judging, verdicts_of_builtin
    from alpaca_eval_suite.judge.card import card_of
    from alpaca_eval_suite.judge.run_setup import require_prices

    if judge.asker is None:
        return card_of_judge(judge, material, verdicts_of_builtin(judge, material))
    if max_cost is not None:
        require_prices([judge])
    cache, display = VerdictCache(notice=_warn), ProgressDisplay()

    def watch(progress: "Progress") -> None:
        display(replace(progress, sequence=None))  # which output stands first in the file is no model

    try:
        judged, seconds = ask_judge(judge, material, out, cache, cap=max_cost, retry_failed=retry_failed, watch=watch)
    finally:
        display.close()
        cache.close()
    cost = cost_of_judging(judge, judged, seconds, card_of(judge.hash))
    return card_of_judge(judge, material, judged.preferences, judged=judged, cost=cost)


def _finish(card: "JudgeCard", out: Path, as_json: bool) -> None:
    """Store the card and print it."""
    from alpaca_eval_suite.cli.judge.card_text import card_lines
    from alpaca_eval_suite.judge.calibration import as_json as plain_json
    from alpaca_eval_suite.judge.card import write_card

    path = write_card(out, card)
    if as_json:
        click.echo(json.dumps({**plain_json(card), "file": str(path)}, indent=2, ensure_ascii=False, allow_nan=False))
        return
    for line in card_lines(card):
        click.echo(line)
    click.echo(f"wrote {path}")


def _warn(text: str) -> None:
    click.echo(f"warning: {text}", err=True)
