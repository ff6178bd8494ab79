"""Runs from people's votes: lines of preferences.jsonl whose judge is `human:NAME`, with tags and seconds."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows
from alpaca_eval_suite.judge.combined import values_by_judge
from alpaca_eval_suite.judge.panel import panel_agreement
from alpaca_eval_suite.leaderboard.figures import information
from alpaca_eval_suite.leaderboard.outside import UNKNOWN_DECODING, UNKNOWN_PROMPT, Warn, scenario_of
from alpaca_eval_suite.leaderboard.raw import RawItem, Vote
from alpaca_eval_suite.leaderboard.recompute import with_figures
from alpaca_eval_suite.leaderboard.record import (
    BaselineRecord,
    JudgeRecord,
    ModelRecord,
    PanelRecord,
    RunRecord,
    first_problem,
)
from alpaca_eval_suite.stats.verdicts import read_preferences
from alpaca_eval_suite.types import Preference

HUMAN = "human:"
PEOPLE = "people"
"""The judge's name where several people voted."""

_Voted = tuple[Preference, Vote]


def runs_of_votes(path: Path, *, scenario: str | None, warn: Warn) -> list[tuple[RunRecord, list[RawItem]]]:
    """A run for each scenario, model and baseline in `path`; `scenario` names what the lines leave unnamed.

    Votes name a model and say nothing of its content, so its entry has neither fingerprint nor served id, and the
    date is the file's. Raises SuiteError naming the line that is no vote, and for a file without votes.
    """
    voted = _read(path)
    if not voted:
        raise SuiteError("holds no votes", where=str(path), next_step="Name a file with one vote a line.")
    date = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    ordered = sorted(voted, key=lambda one: _of(one[0]))
    return [
        _run(key, list(group), f"votes:{path.name}", date, scenario, warn)
        for key, group in groupby(ordered, key=lambda one: _of(one[0]))
    ]


def _of(vote: Preference) -> tuple[str, str, str]:
    return (vote.scenario, vote.model, vote.baseline)


def _read(path: Path) -> list[_Voted]:
    preferences = read_preferences(path)
    return [
        (preference, _vote(preference, row, where))
        for preference, (where, row) in zip(preferences, read_rows(path), strict=True)
    ]


def _vote(preference: Preference, row: Mapping[str, Any], where: str) -> Vote:
    if not preference.judge.startswith(HUMAN):
        raise SuiteError(
            f"the judge {preference.judge!r} is no person",
            where=where,
            next_step=f"People's votes have a judge of the form {HUMAN}NAME. Verdicts of models: --judge-run.",
        )
    given = {key: row[key] for key in ("tags", "seconds") if row.get(key) is not None}
    try:
        return Vote(judge=preference.judge, order=preference.order, seed=preference.seed, win=preference.win, **given)
    except ValidationError as error:
        raise SuiteError(f"is not a vote ({first_problem(error)})", where=where) from error


def _run(
    key: tuple[str, str, str], voted: Sequence[_Voted], name: str, date: str, scenario: str | None, warn: Warn
) -> tuple[RunRecord, list[RawItem]]:
    of_lines, model, baseline = key
    items = _items(voted)
    judges = sorted({vote.judge for _, vote in voted})
    preferences = [preference for preference, _ in voted]
    run = RunRecord(
        source="votes",
        run=name,
        date=date,
        scenario=scenario_of(of_lines or scenario, [item.id for item in items], warn),
        model=ModelRecord(name=model, deployment=model),
        prompt=UNKNOWN_PROMPT,
        decoding=UNKNOWN_DECODING,
        baseline=BaselineRecord(name=baseline),
        panel=PanelRecord(combine="mean", judges=tuple(_person(one, _orders(preferences)) for one in judges))
        if len(judges) > 1
        else None,
        rates={},
    )
    judge = _person(judges[0] if len(judges) == 1 else PEOPLE, _orders(preferences))
    informative = information([item.judged(run) for item in items])
    said = {"agreement": _agreement(preferences, len(judges)), "has_information": informative}
    return with_figures(run.model_copy(update={"judge": judge.model_copy(update=said)}), items), items


def _items(voted: Sequence[_Voted]) -> list[RawItem]:
    by_id: dict[str, list[_Voted]] = {}
    for one in voted:
        by_id.setdefault(one[0].id, []).append(one)
    return [
        RawItem(
            id=id_,
            len_model=_first([preference.len_model for preference, _ in of_id]),
            len_baseline=_first([preference.len_baseline for preference, _ in of_id]),
            slices={name: value for preference, _ in of_id for name, value in preference.slices.items()},
            people=tuple(vote for _, vote in of_id),
        )
        for id_, of_id in by_id.items()
    ]


def _first(lengths: Sequence[int | None]) -> int | None:
    return next((length for length in lengths if length is not None), None)


def _orders(preferences: Sequence[Preference]) -> str:
    return "both" if {"model_first", "baseline_first"} <= {one.order for one in preferences} else "single"


def _person(name: str, orders: str) -> JudgeRecord:
    """People are what judges are measured against: "not calibrated" does not apply to them."""
    return JudgeRecord(
        name=name, template_sha256=None, orders=orders, seed=0, calibrated=True, agreement="a person's votes"
    )


def _agreement(preferences: Sequence[Preference], n_people: int) -> str:
    if n_people == 1:
        return "votes of one person"
    found = panel_agreement(values_by_judge(preferences)).krippendorff_alpha
    alpha = "" if found.value is None else f", Krippendorff's α among them {found.value:.2f}"
    return f"votes of {n_people} people{alpha}"
