"""`alpaca-suite stats length-control`: what each model would win with answers as long as the baseline's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from alpaca_eval_suite.cli.stats.shared import FILE, as_json_option, by_stem, print_json, read_verdicts
from alpaca_eval_suite.leaderboard.cells import percent, plain
from alpaca_eval_suite.stats.difficulty import ENOUGH_MODELS, estimate_difficulty
from alpaca_eval_suite.stats.length_control import (
    DifficultySource,
    LengthControl,
    length_control,
    peer_length_control,
)
from alpaca_eval_suite.stats.length_data import LengthData, read_auxiliary, read_difficulty
from alpaca_eval_suite.stats.position import has_information


@click.command("length-control")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--difficulty", type=FILE, help="CSV of instruction difficulties: id (or index), instruction_difficulty.")
@click.option("--auxiliary", type=FILE, help="CSV of further rows for the fit, with the columns of AlpacaEval's.")
@click.option("--peer-exact", is_flag=True, help="What AlpacaEval 0.6.6 computes, its row alignment included.")
@as_json_option
def length_control_command(
    files: tuple[Path, ...], difficulty: Path | None, auxiliary: Path | None, peer_exact: bool, as_json: bool
) -> None:
    """Print the length-controlled win rate of the model of each of FILES, beside the raw one.

    Each file holds one model's verdicts against one baseline, with len_model and len_baseline. Without
    --difficulty the instructions' difficulties are those of --auxiliary; without that they are estimated from
    five models or more; with fewer they are left out.

    \b
    Example:
      alpaca-suite stats length-control my-model.jsonl --difficulty difficulty.csv
    """
    verdicts = {name: read_verdicts(path) for name, path in by_stem(files).items()}
    models = {name: LengthData.of(preferences) for name, preferences in verdicts.items()}
    informative = {name: has_information(preferences).informative for name, preferences in verdicts.items()}
    more = read_auxiliary(auxiliary) if auxiliary else None
    gamma: Mapping[str, float] | None = None
    source: DifficultySource = "given"
    if difficulty:
        gamma = read_difficulty(difficulty)
    elif more:
        gamma = more.difficulties()
    elif len(models) >= ENOUGH_MODELS and not peer_exact:
        gamma, source = estimate_difficulty([model.valid() for model in models.values()]), "estimated"
    if peer_exact:
        found = {name: peer_length_control(data, difficulty=gamma, auxiliary=more) for name, data in models.items()}
    else:
        found = {
            name: length_control(data, difficulty=gamma, source=source, auxiliary=more) for name, data in models.items()
        }
    if as_json:
        rows = {name: {**result.as_json(), "informative": informative[name]} for name, result in found.items()}
        print_json({"peer_exact": peer_exact, "models": rows})
        return
    click.echo("\n".join(_text(name, result, informative[name]) for name, result in found.items()))
    click.echo(_about(next(iter(found.values())), peer_exact, auxiliary is not None))


def _text(name: str, found: LengthControl, informative: bool | None) -> str:
    counts = f"n {found.n}, failed {found.n_failed}"
    if informative is False:
        return f"{plain(name)}: no information ({counts}); the raw figures are printed with --json"
    raw = "–" if found.win_rate is None else f"{percent(found.win_rate)} %"
    if found.lc_win_rate is None:
        return f"{plain(name)}: – (raw {raw}; {counts}; {plain(found.reason)})"
    if found.ci is None:
        return f"{plain(name)}: {percent(found.lc_win_rate)} % [no interval] (raw {raw}; {counts}; {found.reason})"
    ends = f"[{percent(found.ci.low)}, {percent(found.ci.high)}]"
    level = f"{100 * found.ci.level:g} % {found.ci.method}"
    return f"{plain(name)}: {percent(found.lc_win_rate)} {ends} % (raw {raw}; {counts}; {level})"


def _about(found: LengthControl, peer_exact: bool, auxiliary: bool) -> str:
    method: dict[Any, str] = {
        "given": "instruction difficulties as given",
        "estimated": "instruction difficulties estimated from these models",
        "left out": f"instruction difficulties left out: not given, and fewer than {ENOUGH_MODELS} models",
    }
    parts = [method[found.difficulty], "auxiliary rows in the fit" if auxiliary else "no auxiliary rows"]
    if peer_exact:
        parts.append("as AlpacaEval 0.6.6 computes it, difficulties joined by position: for comparison only")
    return "; ".join(parts)
