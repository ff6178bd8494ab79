"""`alpaca-suite stats sample` and `calibrate`: label a few, correct the judge on all."""

from collections.abc import Sequence
from pathlib import Path

import click

from alpaca_eval_suite.cli.stats.shared import FILE, as_json_option, print_json, read_verdicts
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.leaderboard.cells import percent, plain
from alpaca_eval_suite.stats.calibrate import Calibrated, calibrate
from alpaca_eval_suite.stats.position import has_information
from alpaca_eval_suite.stats.ratings import HUMAN
from alpaca_eval_suite.stats.sample import (
    check_labelled,
    draw_sample,
    read_sample,
    record_sample,
    sample_path,
)
from alpaca_eval_suite.stats.totals import Estimate
from alpaca_eval_suite.stats.units import units
from alpaca_eval_suite.types import Preference

_DEFAULTS = {(Preference("", None).model, Preference("", None).baseline)}


@click.command("sample")
@click.argument("file", type=FILE)
@click.option("--n", "n", type=int, required=True, help="How many ids people will label.")
@click.option(
    "--seed", type=int, required=True, help="Of the draw: the same seed with a larger --n adds to the sample."
)
@click.option("--out", type=FILE, help="Where the sample is recorded; beside FILE if left out.")
@as_json_option
def sample_command(file: Path, n: int, seed: int, out: Path | None, as_json: bool) -> None:
    """Draw the ids of FILE's verdicts that people are to label, and record them.

    The record stands beside FILE as NAME.sample.json, where calibrate looks for it. A sample that is there already
    is not drawn anew.

    \b
    Example:
      alpaca-suite stats sample preferences.jsonl --n 100 --seed 1
    """
    sample = draw_sample((p.id for p in _of_judges(read_verdicts(file), file)), n=n, seed=seed)
    path = out or sample_path(file)
    record_sample(path, sample)
    if as_json:
        print_json(sample.as_json())
        return
    click.echo("\n".join(sample.ids))
    click.echo(f"{n} of {sample.n_judged} ids, recorded in {path}: label them in this order", err=True)


@click.command("calibrate")
@click.option("--verdicts", type=FILE, required=True, help="The judge's verdicts on all ids.")
@click.option("--votes", type=FILE, required=True, help="People's verdicts on a random sample of them.")
@click.option("--sample", "sample_file", type=FILE, help="The recorded sample; beside the verdicts if left out.")
@click.option("--assume-random", is_flag=True, help="Take the labelled ids for a random sample without a record.")
@as_json_option
def calibrate_command(
    verdicts: Path, votes: Path, sample_file: Path | None, assume_random: bool, as_json: bool
) -> None:
    """Print the win rate that people would give: the judge's on all ids, corrected by people's labels on a sample.

    \b
    Example:
      alpaca-suite stats calibrate --verdicts preferences.jsonl --votes votes.jsonl --assume-random
    """
    judged, labelled = _of_judges(read_verdicts(verdicts), verdicts), _of_people(read_verdicts(votes))
    _check_same_pair(judged, labelled, votes)
    of_judge, of_people = units(judged), units(labelled)
    labelled_ids = [id_ for id_, value in zip(of_people.ids, of_people.values.tolist(), strict=True) if value == value]
    path = sample_file or sample_path(verdicts)
    if assume_random:
        check_labelled(labelled_ids, of_judge.ids, None)
    elif path.exists():
        check_labelled(labelled_ids, of_judge.ids, read_sample(path))
    else:
        check_labelled(labelled_ids, of_judge.ids, None)
        raise SuiteError(
            "no sample is recorded here, so the labelled ids may have been chosen",
            where=str(path),
            next_step="Draw one with 'alpaca-suite stats sample' before labelling, or say --assume-random.",
        )
    found = calibrate(of_judge, of_people)
    informative = has_information(judged).informative
    if as_json:
        print_json({**found.as_json(), "assumed_random": assume_random, "informative": informative})
        return
    click.echo(_text(found, informative))


def _of_judges(preferences: Sequence[Preference], file: Path) -> list[Preference]:
    judged = [p for p in preferences if not p.judge.startswith(HUMAN)]
    if not judged:
        raise SuiteError("holds no verdict by a judge, only people's", where=str(file))
    return judged


def _of_people(preferences: Sequence[Preference]) -> list[Preference]:
    """The votes of people; a file that names nobody as a person is taken to hold nothing else."""
    return [p for p in preferences if p.judge.startswith(HUMAN)] or list(preferences)


def _check_same_pair(judged: Sequence[Preference], labelled: Sequence[Preference], votes: Path) -> None:
    """Labels of another pair, or of the same two the other way round, would be taken for labels of this one."""
    pairs, of_people = ({(p.model, p.baseline) for p in of} for of in (judged, labelled))
    other = of_people - pairs
    if other and _DEFAULTS.isdisjoint(pairs | of_people):
        (model, baseline), (judged_model, judged_baseline) = min(other), min(pairs)
        raise SuiteError(
            f"votes on {model} against {baseline}, but the judge compared {judged_model} with {judged_baseline}",
            where=str(votes),
            next_step="Give votes and verdicts on the same model and baseline.",
        )


def _text(found: Calibrated, informative: bool | None) -> str:
    accuracy = found.judge_accuracy
    alone = "no information; the raw figure is printed with --json" if informative is False else _rate(found.naive)
    lines = [
        f"{found.n_judged} ids judged ({found.n_failed} failed, counted 0.5), {found.n_labelled} of them labelled",
        f"  judge and people on the same side: {percent(accuracy.estimate or 0)} %",
        f"  the judge alone: {alone}",
        f"  the labels alone: {_rate(found.people)}",
        f"  prediction-powered (PPI++, judge's weight {found.tuning:.2f}): {_rate(found.ppi)}",
        f"  Rogan–Gladen: {_rate(found.rogan_gladen)}",
        f"  the judge saves {found.labels_saved} labels",
    ]
    return "\n".join(lines)


def _rate(estimate: Estimate) -> str:
    why = f" ({plain(estimate.reason)})" if estimate.reason else ""
    if estimate.value is None or estimate.ci is None:
        return f"–{why}"
    ends = f"[{percent(estimate.ci.low)}, {percent(estimate.ci.high)}]"
    return f"{percent(estimate.value)} {ends} %, {plain(estimate.ci.method)}{why}"
