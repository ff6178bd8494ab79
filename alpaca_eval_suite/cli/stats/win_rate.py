"""`alpaca-suite stats win-rate`: the win rate of each model in a file, with interval, n and failures."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import click

from alpaca_eval_suite.cli.stats.shared import FILE, as_json_option, incomplete_option, print_json, read_verdicts
from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.judge.card import NOT_CALIBRATED, JudgeCard, card_of_verdicts
from alpaca_eval_suite.leaderboard.cells import percent, plain, rate_text
from alpaca_eval_suite.leaderboard.record import RateRecord
from alpaca_eval_suite.stats import Information, WinRate, has_information, units, win_rate
from alpaca_eval_suite.stats.units import Incomplete
from alpaca_eval_suite.stats.win_rate import Method
from alpaca_eval_suite.types import Preference


@click.command("win-rate")
@click.argument("file", type=FILE)
@as_json_option
@click.option("--by", metavar="KEY", help="Break down by this key of the verdicts' slices, such as app.")
@click.option(
    "--method",
    type=click.Choice(get_args(Method)),
    default="auto",
    show_default=True,
    help="Of the interval; auto is BCa, with fall-backs where that is known to fail.",
)
@incomplete_option
@click.option("--seed", default=0, show_default=True, help="Of the resampling.")
def win_rate_command(
    file: Path, as_json: bool, by: str | None, method: Method, incomplete: Incomplete, seed: int
) -> None:
    """Print the win rate of each model against each baseline in FILE, with interval, n and failures.

    FILE is a run's preferences.jsonl (keys id and win are enough) or a list of AlpacaEval annotations. Where
    the judge agrees with itself no more than a blind one would, "no information" stands for the rate.

    \b
    Example:
      alpaca-suite stats win-rate benchmark_output/runs/my-suite/RUN/preferences.jsonl --by app
    """
    preferences = read_verdicts(file)
    if by is not None:
        _check_key(preferences, by)

    def found(of: Iterable[Preference]) -> WinRate:
        return win_rate(units(of, incomplete=incomplete), method=method, rng=seed)

    def card(judge: str) -> JudgeCard | None:
        return card_of_verdicts(file, judge)

    reports = [_report(pair, by, found, card) for pair in _pairs(preferences)]
    if as_json:
        # One shape for the usual file, which holds one model against one baseline.
        print_json(reports[0] if len(reports) == 1 else {"pairs": reports})
        return
    click.echo("\n\n".join(_text(report) for report in reports))


def _pairs(preferences: Sequence[Preference]) -> Iterator[list[Preference]]:
    def key(p: Preference) -> tuple[str, str, str]:
        return (p.scenario, p.model, p.baseline)

    for _, pair in groupby(sorted(preferences, key=key), key=key):
        yield list(pair)


def _check_key(preferences: Sequence[Preference], by: str) -> None:
    known = sorted({key for p in preferences for key in p.slices})
    if by not in known:
        listed = ", ".join(known) or "none in this file"
        raise UsageError(f"no verdict has a slice {by!r}", next_step=f"Slices there are: {listed}.")


def _report(
    pair: Sequence[Preference],
    by: str | None,
    rate: Callable[[Iterable[Preference]], WinRate],
    card_of: Callable[[str], JudgeCard | None],
) -> dict[str, Any]:
    """Everything that is printed on one model, baseline and scenario; the public JSON form."""
    first, information = pair[0], has_information(pair)
    judges = sorted({p.judge for p in pair})
    card = card_of(judges[0]) if len(judges) == 1 else None
    report: dict[str, Any] = {
        "scenario": first.scenario,
        "model": first.model,
        "baseline": first.baseline,
        "judges": judges,
        "calibrated": card is not None,
        "agreement": card.sentence() if card else NOT_CALIBRATED,
        "information": _information(information, card),
        **rate(pair).as_json(),
    }
    if by is not None:
        values = sorted({p.slices.get(by, "") for p in pair})
        report["by"] = {
            by: {value: rate(p for p in pair if p.slices.get(by, "") == value).as_json() for value in values},
        }
    return report


def _information(information: Information, card: JudgeCard | None) -> dict[str, Any]:
    """Below the floor by its own orders, or by its card: what it judged is no information."""
    informative, reason = information.informative, information.reason
    if card is not None and not card.has_information:
        informative, reason = False, f"no information: by its card it is not above judges who do not read; {reason}"
    return {
        "informative": informative,
        "reason": reason,
        "order_consistency": information.consistency.as_json(),
        "floor": information.floor,
    }


def _text(report: dict[str, Any]) -> str:
    about = " in ".join(filter(None, [f"{report['model']} against {report['baseline']}", report["scenario"]]))
    withheld = report["information"]["informative"] is False
    lines = [
        plain(about),
        f"  judge: {plain(', '.join(report['judges']))} ({report['agreement']})",
        f"  win rate: {_win_rate_text(report, withheld)}",
    ]
    if not withheld:
        lines.append(f"  wins {report['wins']}, ties {report['ties']}, losses {report['losses']}")
        if report["n_failed"] and (worst := report["worst_case"]):
            ends = f"[{percent(worst['low'])}, {percent(worst['high'])}]"
            lines.append(f"  with every failed unit lost, or won: {ends}")
        if (detectable := report["minimum_detectable_difference"]) is not None:
            lines.append(f"  found 8 times in 10: a difference of {percent(detectable)} points from 50 %")
    lines.append(f"  both orders: {report['information']['reason']}")
    for key, of_value in report.get("by", {}).items():
        lines.append(f"  by {plain(key)}:")
        lines += [f"    {plain(value) or '(none)'}: {_win_rate_text(of, withheld)}" for value, of in of_value.items()]
    return "\n".join(lines)


def _win_rate_text(found: dict[str, Any], withheld: bool) -> str:
    counts = f"n {found['n']}, failed {found['n_failed']}"
    if withheld:
        return f"no information ({counts}); the raw figures are printed with --json"
    rate = RateRecord(value=found["win_rate"], ci=found["ci"], n=found["n"], n_failed=found["n_failed"])
    if rate.ci is None:
        return f"{rate_text(rate)} ({counts}; {found['reason']})"
    return f"{rate_text(rate)} % ({counts}; {100 * rate.ci.level:g} % {plain(rate.ci.method)})"
