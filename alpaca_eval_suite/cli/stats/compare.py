"""`alpaca-suite stats compare`: which differences between models hold, paired by id."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from alpaca_eval_suite.cli.stats.shared import (
    FILE,
    as_json_option,
    by_stem,
    incomplete_option,
    print_json,
    read_verdicts,
    units_of,
    without_information,
)
from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.leaderboard.cells import percent, plain
from alpaca_eval_suite.stats import PairOfModels, compare_all
from alpaca_eval_suite.stats.units import Incomplete
from alpaca_eval_suite.types import Preference


@click.command("compare")
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="A B…")
@click.option(
    "--on", type=click.Choice(["all", "shared"]), default="all", show_default=True,
    help="all: an id in only one file is an error; shared: it is dropped and counted.",
)  # fmt: skip
@incomplete_option
@click.option("--seed", default=0, show_default=True, help="Of the resampling and the permutations.")
@as_json_option
def compare_command(files: tuple[Path, ...], on: str, incomplete: Incomplete, seed: int, as_json: bool) -> None:
    """Print the differences of win rate between the models of the files A B …, paired by id.

    Each file holds one model's verdicts, all against the same baseline by the same judge. With more than two
    files every pair is compared, and p values are adjusted for the number of pairs (Holm).

    \b
    Example:
      alpaca-suite stats compare step-100.jsonl step-200.jsonl
    """
    if len(files) < 2:
        raise UsageError("one file cannot be compared", next_step="Give two files or more.")
    paths = by_stem(files)
    verdicts = {name: read_verdicts(path) for name, path in paths.items()}
    models = {name: units_of(paths[name], of, incomplete) for name, of in verdicts.items()}
    pairs = compare_all(models, shared_only=on == "shared", seed=seed)
    withheld, notes = without_information(verdicts), _notes(verdicts)
    if as_json:
        print_json(_report(pairs, withheld, notes))
        return
    click.echo(_text(pairs, withheld, notes))


def _report(pairs: Sequence[PairOfModels], withheld: Mapping[str, str], notes: Sequence[str]) -> dict[str, Any]:
    """The public JSON form: the pair itself when there is one, else all of them."""
    about = {"no_information": dict(withheld), "notes": list(notes)}
    if len(pairs) == 1:
        return {**pairs[0].as_json(), **about}
    return {"family": "holm", "comparisons": [pair.as_json() for pair in pairs], **about}


def _notes(verdicts: Mapping[str, Sequence[Preference]]) -> list[str]:
    """What the files differ in that makes their rates answers to different questions."""
    notes = []
    for key in ("baseline", "judge", "scenario"):
        values = {name: {getattr(p, key) for p in of} for name, of in verdicts.items()}
        if len({frozenset(of) for of in values.values()}) > 1:
            listed = "; ".join(f"{name}: {', '.join(sorted(of)) or '(none)'}" for name, of in values.items())
            notes.append(f"the files differ in {key} ({listed})")
    return notes


def _text(pairs: Sequence[PairOfModels], withheld: Mapping[str, str], notes: Sequence[str]) -> str:
    lines = ["difference in points [95 % interval], p by sign-flip permutation" + _family(pairs)]
    lines += [_line(pair, withheld) for pair in pairs]
    held = sum(pair.holds and not {pair.a, pair.b} & withheld.keys() for pair in pairs)
    lines.append(f"{held} of {len(pairs)} hold at 5 %{', all pairs together' if len(pairs) > 1 else ''}")
    lines += [f"{plain(name)}: {plain(reason)}" for name, reason in withheld.items()]
    lines += [f"note: {plain(note)}" for note in notes]
    return "\n".join(lines)


def _family(pairs: Sequence[PairOfModels]) -> str:
    return f", adjusted for {len(pairs)} pairs (Holm)" if len(pairs) > 1 else ""


def _line(pair: PairOfModels, withheld: Mapping[str, str]) -> str:
    found = pair.difference
    about = f"  {plain(pair.a)} - {plain(pair.b)}:"
    counts = f"n {found.n_shared}, dropped {found.n_dropped}"
    if {pair.a, pair.b} & withheld.keys():
        return f"{about} no information ({counts}); the raw figures are printed with --json"
    if found.difference is None or found.ci is None or pair.p_holm is None:
        return f"{about} – ({counts}; {found.reason})"
    words = "holds" if pair.holds else "does not hold"
    if found.minimum_detectable_difference is not None and not pair.holds:
        words += f"; found 8 times in 10: {percent(found.minimum_detectable_difference)}"
    ends = f"[{percent(found.ci.low)}, {percent(found.ci.high)}]"
    return f"{about} {percent(found.difference)} {ends}, p {pair.p_holm:.2g}, {words} ({counts}; {found.ci.method})"
