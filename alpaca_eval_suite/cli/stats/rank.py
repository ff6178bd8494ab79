"""`alpaca-suite stats rank`: many models on one scale."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

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
from alpaca_eval_suite.leaderboard.cells import plain
from alpaca_eval_suite.stats import Match, Ranking, rank
from alpaca_eval_suite.stats.units import Incomplete
from alpaca_eval_suite.types import Preference


@click.command("rank")
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE…")
@click.option("--davidson", is_flag=True, help="Model ties apart; all units must be wins, ties or losses.")
@incomplete_option
@click.option("--seed", default=0, show_default=True, help="Of the resampling.")
@as_json_option
def rank_command(files: tuple[Path, ...], davidson: bool, incomplete: Incomplete, seed: int, as_json: bool) -> None:
    """Print the ratings of all models in the files, each with the ranks that the data allow.

    Every baseline is a model too; the first is the anchor, at 0. A model goes by its file's name where one file
    holds its verdicts, else by the name in the verdicts. The ranks in brackets hold for all models at once.

    \b
    Example:
      alpaca-suite stats rank runs/*.jsonl
    """
    paths = by_stem(files)
    verdicts = {name: read_verdicts(path) for name, path in paths.items()}
    matches = _matches(paths, verdicts, incomplete)
    ranking = rank(matches, davidson=davidson, rng=seed)
    withheld = without_information(verdicts)
    if as_json:
        print_json({**ranking.as_json(), "no_information": withheld})
        return
    click.echo(_text(ranking, withheld))


def _matches(
    paths: Mapping[str, Path], verdicts: Mapping[str, Sequence[Preference]], incomplete: Incomplete
) -> list[Match]:
    def pair(p: Preference) -> tuple[str, str]:
        return (p.model, p.baseline)

    of_files = {
        name: [(key, list(of)) for key, of in groupby(sorted(preferences, key=pair), key=pair)]
        for name, preferences in verdicts.items()
    }
    files_of = Counter(model for pairs in of_files.values() for model in {model for (model, _), _ in pairs})
    times = Counter(key for pairs in of_files.values() for key, _ in pairs)
    names: dict[str, str] = {}  # a model's name in the verdicts, where one file holds it, to that file's
    for name, pairs in of_files.items():
        models = {model for (model, _), _ in pairs}
        if len(models) == 1 and files_of[model := models.pop()] == 1:
            names[model] = name
    return [
        Match(
            # The same pair in two files is of two models that share a name: the files tell them apart.
            model=name if times[(model, baseline)] > 1 else names.get(model, model),
            baseline=names.get(baseline, baseline),
            units=units_of(paths[name], of, incomplete),
        )
        for name, pairs in of_files.items()
        for (model, baseline), of in pairs
    ]


def _text(ranking: Ranking, withheld: Mapping[str, str]) -> str:
    lines = [f"{ranking.method}, {ranking.n_ids} ids; Elo over {plain(ranking.anchor)} [95 % interval], rank [set]"]
    for of in ranking.ratings:
        ends = of.as_json()["elo_ci"]
        ranks = f"rank {of.rank} [{of.rank_low}, {of.rank_high}]"
        figures = f"{of.elo:.0f} [{ends['low']:.0f}, {ends['high']:.0f}], {ranks}"
        counts = f"n {of.n}, failed {of.n_failed}; {of.ci.method}"
        lines.append(f"  {plain(of.name)}: {'no information' if of.name in withheld else figures} ({counts})")
    lines.append("rank sets hold for all models at once, with 95 %")
    lines += [f"{plain(name)}: {plain(reason)}" for name, reason in withheld.items()]
    lines += [f"note: {plain(note)}" for note in ranking.notes]
    return "\n".join(lines)
