"""`alpaca-suite stats agreement`: how far people agree, and judges with them."""

from collections.abc import Callable
from pathlib import Path

import click

from alpaca_eval_suite.cli.stats.shared import FILE, as_json_option, print_json
from alpaca_eval_suite.leaderboard.cells import percent, plain
from alpaca_eval_suite.stats.agreement import Agreement, agreement
from alpaca_eval_suite.stats.ratings import read_ratings
from alpaca_eval_suite.stats.totals import Estimate
from alpaca_eval_suite.types import Interval, Rate


@click.command("agreement")
@click.argument("file", type=FILE)
@as_json_option
def agreement_command(file: Path, as_json: bool) -> None:
    """Print the agreement of the people who labelled FILE, and of each judge with their majority.

    FILE holds votes (verdicts whose judge is human:NAME, those of other judges beside them), labelled pairs (JSON
    Lines with id and labels {name: 1|2|0}), or PandaLM's test set.

    \b
    Example:
      alpaca-suite stats agreement votes.jsonl
    """
    found = agreement(read_ratings(file))
    if as_json:
        print_json(found.as_json())
        return
    click.echo(_text(found))


def _text(found: Agreement) -> str:
    lines = [
        f"{found.n_items} items, {found.n_raters} raters, 95 % intervals over items"
        + (f" ({found.note})" if found.note else ""),
        f"  percent agreement: {_rate(found.percent_agreement)}",
        *(
            f"  {name}: {_kappa(estimate)}"
            for name, estimate in (
                ("Cohen's kappa", found.cohen_kappa),
                ("Fleiss' kappa", found.fleiss_kappa),
                ("Krippendorff's alpha", found.krippendorff_alpha),
            )
        ),
        f"  a rater with the majority of the others (the ceiling for a judge): {_rate(found.ceiling)}",
        *(f"    {plain(name)}: {_rate(rate)}" for name, rate in found.raters.items()),
    ]
    if found.n_no_majority:
        lines.append(f"  without a majority, left out below: {found.n_no_majority}")
    for name, judge in found.judges.items():
        n, failed = judge.accuracy_all.n, judge.accuracy_valid.n_failed
        no_information = "" if judge.informative in (True, None) else "; no information: not above the controls"
        lines += [
            f"  judge {plain(name)} (n {n}, failed {failed}{no_information})",
            f"    with the majority, failures wrong: {_rate(judge.accuracy_all)}",
            f"    with the majority, valid verdicts: {_rate(judge.accuracy_valid)}",
            f"    Cohen's kappa with the majority: {_kappa(judge.cohen_kappa)}",
        ]
    controls = [f"{name.replace('_', ' ')} {percent(v)} %" for name, v in found.controls.items() if v is not None]
    if controls:
        lines.append(f"  who does not read reaches: {', '.join(controls)}")
    return "\n".join(lines)


def _rate(rate: Rate) -> str:
    if rate.estimate is None:
        return "–"
    return f"{percent(rate.estimate)} {_ends(rate.interval, percent)} %"


def _kappa(estimate: Estimate) -> str:
    if estimate.value is None:
        return f"– ({estimate.reason})"
    why = f" ({estimate.reason})" if estimate.reason else ""
    return f"{estimate.value:.3f} {_ends(estimate.ci, '{:.3f}'.format)}{why}"


def _ends(interval: Interval | None, write: Callable[[float], str]) -> str:
    return f"[{write(interval.low)}, {write(interval.high)}]" if interval else "[no interval]"
