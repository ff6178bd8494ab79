"""`alpaca-suite stats power`: how many instructions a run needs."""

from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import click

from alpaca_eval_suite.cli.stats.shared import FILE, as_json_option, print_json, read_verdicts
from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.leaderboard.cells import percent
from alpaca_eval_suite.stats import (
    Spread,
    instructions_for_difference,
    instructions_for_half_width,
    spread,
    spread_paired,
    spread_unpaired,
)
from alpaca_eval_suite.stats.power import LARGEST_SD


@dataclass(frozen=True)
class _Plan:
    """A way to run: what is compared, in how many orders, with what spread, for how many models."""

    design: str
    orders: int
    sd: float
    models: int


@click.command("power")
@click.argument("files", type=FILE, nargs=-1, metavar="[FILE [OTHER]]")
@click.option("--half-width", type=click.FloatRange(0, 1, min_open=True), help="Wanted: estimate ± this share.")
@click.option("--difference", type=click.FloatRange(0, 1, min_open=True), help="Wanted: this difference is found.")
@click.option("--sd", type=click.FloatRange(0, 1), help="Standard deviation of a unit, in place of files.")
@click.option("--sd-both", type=click.FloatRange(0, 1), help="The same where units are the mean of both orders.")
@click.option("--correlation", type=click.FloatRange(-1, 1), help="Of two models' units on the same ids.")
@click.option("--power", "chance", type=click.FloatRange(0.5, 0.999), default=0.8, show_default=True,
              help="The chance of finding the difference.")  # fmt: skip
@as_json_option
def power_command(
    files: tuple[Path, ...],
    half_width: float | None,
    difference: float | None,
    sd: float | None,
    sd_both: float | None,
    correlation: float | None,
    chance: float,
    as_json: bool,
) -> None:
    """Print how many instructions give an interval of ± --half-width, or find a --difference (two-sided, α 5 %).

    How much units scatter is measured on FILE, one model's verdicts; with OTHER, a second model's, differences
    between the two are planned, on the same instructions (paired) or on separate ones. Without files it is
    --sd, or 0.5, the largest there can be. All shares are from 0 to 1.

    \b
    Example:
      alpaca-suite stats power step-100.jsonl step-200.jsonl --difference 0.03
    """
    if (half_width is None) == (difference is None):
        raise UsageError("what is wanted?", next_step="Give either --half-width or --difference.")
    plans = _measured(files, (sd, sd_both, correlation)) if files else _given(sd, sd_both, correlation)
    rows = []
    for plan in plans:
        if half_width is not None:
            n = instructions_for_half_width(plan.sd, half_width)
        else:
            n = instructions_for_difference(plan.sd, difference or 0.0, power=chance)
        verdicts = n * plan.orders * plan.models
        rows.append({"design": plan.design, "orders": plan.orders, "sd": plan.sd, "n": n, "verdicts": verdicts})
    if as_json:
        wanted = {"half_width": half_width} if half_width is not None else {"difference": difference, "power": chance}
        print_json({"wanted": wanted, "level": 0.95, "plans": rows})
        return
    click.echo(_text(rows, half_width, difference, chance))


def _given(sd: float | None, sd_both: float | None, correlation: float | None) -> list[_Plan]:
    one, both = (LARGEST_SD if sd is None and sd_both is None else sd), sd_both
    return _plans(
        Spread(one, both),
        None if correlation is None else Spread(_paired(one, correlation), _paired(both, correlation)),
        None if correlation is None else spread_unpaired(Spread(one, both), Spread(one, both)),
    )


def _paired(sd: float | None, correlation: float) -> float | None:
    return None if sd is None else sd * sqrt(2 * (1 - correlation))


def _measured(files: tuple[Path, ...], given: tuple[float | None, ...]) -> list[_Plan]:
    if any(value is not None for value in given):
        raise UsageError("spread is either measured or given", next_step="Leave out the files, or --sd and the like.")
    if len(files) > 2:
        raise UsageError(f"{len(files)} files", next_step="Give one file, or two to plan their difference.")
    verdicts = [read_verdicts(path) for path in files]
    spreads = [spread(of) for of in verdicts]
    if len(files) == 1:
        plans = _plans(spreads[0], None, None)
    else:
        plans = _plans(None, spread_paired(*verdicts), spread_unpaired(*spreads))
    if not plans:
        raise UsageError("fewer than two units have a value: no spread can be measured", next_step="Give --sd.")
    return plans


def _plans(alone: Spread | None, paired: Spread | None, unpaired: Spread | None) -> list[_Plan]:
    designs = (
        ("one model against the baseline", alone, 1),
        ("two models, the same instructions", paired, 2),
        ("two models, separate instructions", unpaired, 2),
    )
    return [
        _Plan(design, orders, sd, models)
        for design, of, models in designs
        if of is not None
        for orders, sd in ((1, of.one_order), (2, of.both_orders))
        if sd is not None
    ]


def _text(rows: list[dict[str, Any]], half_width: float | None, difference: float | None, chance: float) -> str:
    if half_width is not None:
        lines = [f"for an interval of ± {percent(half_width)} points (95 %)"]
    else:
        lines = [f"to find a difference of {percent(difference or 0)} points, {percent(chance)} % of the time (α 5 %)"]
    for row in rows:
        orders = "both orders" if row["orders"] == 2 else "one order"
        lines.append(f"  {row['design']}, {orders}: {row['n']} each ({row['verdicts']} verdicts; sd {row['sd']:.3f})")
    return "\n".join(lines)
