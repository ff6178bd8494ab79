"""A run from `judge run`: its verdicts, the record beside them, and the outputs where they are still the same."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text, sha256_of
from alpaca_eval_suite.judge.pairs import Pairs, read_pairs
from alpaca_eval_suite.judge.run_setup import RunFiles
from alpaca_eval_suite.leaderboard.migrate import from_json
from alpaca_eval_suite.leaderboard.outside import UNKNOWN_DECODING, UNKNOWN_PROMPT, Warn, scenario_of
from alpaca_eval_suite.leaderboard.raw import RawItem, Verdict
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

_AGAIN = "Run the same `alpaca-suite judge run` again: it asks nothing twice, and writes verdicts and record anew."


class _Outputs(BaseModel):
    name: str
    outputs: str
    sha256: str


class _Information(BaseModel):
    informative: bool | None


class _Judge(BaseModel):
    name: str
    hash: str
    template_sha256: str | None
    orders: str
    card: str
    calibrated: bool
    self_judged: str | None
    information: _Information
    precision: str | None = None
    served_ids: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    canary: dict[str, Any] | None = None


class _Counts(BaseModel):
    judged: int
    missing: int
    stopped: Literal["decided", "budget"] | None


class _Run(BaseModel):
    """What is taken from the record of judge.run_record."""

    schema_version: Literal[1]
    date: str
    model: _Outputs
    baseline: _Outputs
    seed: int
    combine: Literal["mean", "majority"]
    panel: str | None
    judges: tuple[_Judge, ...]
    informative: bool | None
    verdicts: _Counts
    spent_usd: float | None
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = {}


def run_of_judging(
    path: Path, *, outputs: Iterable[Path] = (), scenario: str | None, warn: Warn
) -> tuple[RunRecord, list[RawItem]]:
    """The run whose verdicts are in `path`, and its raw items.

    The two files of outputs are known by their hash: they are looked for under `outputs`, beside the verdicts and in
    the present folder; without them the raw items hold no texts, which `warn` is told. `scenario` names what the
    lines leave unnamed. Raises SuiteError where record and verdicts do not belong together, one is missing, or the
    run ended as decided and the outputs are gone (of the ids that were not judged they alone tell).
    """
    found = _read_record(path)
    preferences = read_preferences(path)
    _check(path, found, preferences)
    pairs = _pairs(path, found, preferences, outputs, warn)
    stopped_early = found.verdicts.stopped == "decided"
    if stopped_early and pairs is None:
        raise SuiteError(
            "was ended as soon as it was decided, and the outputs that it judged are not to be found",
            where=str(path),
            next_step=f"Say where they are: --outputs {found.model.outputs} --outputs {found.baseline.outputs}.",
        )
    items = _items(preferences, pairs, unjudged=stopped_early)
    named = {preference.scenario for preference in preferences} - {""}
    run = RunRecord(
        source="judge_run",
        run=f"judge_run:{path.name}",
        date=found.date,
        scenario=scenario_of(min(named, default=scenario), [item.id for item in items], warn),
        model=ModelRecord(
            name=found.model.name, deployment=f"outputs/{found.model.outputs}", fingerprint=found.model.sha256
        ),
        prompt=UNKNOWN_PROMPT,
        decoding=UNKNOWN_DECODING,
        baseline=BaselineRecord(name=found.baseline.name, sha256=found.baseline.sha256),
        judge=_judge(found),
        panel=_panel(found),
        stopped_early=stopped_early,
        rates={},
        self_judged="; ".join(f"{one.name}: {one.self_judged}" for one in found.judges if one.self_judged) or None,
        cost_usd=found.spent_usd,
        versions=found.versions,
        notes=tuple(_notes(found)),
    )
    return with_figures(run, items), items


def _read_record(path: Path) -> _Run:
    record = RunFiles(path, path, path).record
    if not path.is_file():
        raise SuiteError("there is no such file", where=str(path), next_step="Name the --out of a judge run.")
    if not record.is_file():
        next_step = f"{_AGAIN} People's votes have none: give them by --votes."
        raise SuiteError(f"has no record beside it ({record.name})", where=str(path), next_step=next_step)
    try:
        return _Run.model_validate(from_json(read_text(record)))
    except ValueError as error:
        what = f"is not the record of a judge run ({first_problem(error)})"
        raise SuiteError(what, where=str(record), next_step=_AGAIN) from error


def _check(path: Path, found: _Run, preferences: Sequence[Preference]) -> None:
    """Raise SuiteError where the verdicts are not those that the record counts."""
    judges = {judge.name for judge in found.judges}
    told = {(found.model.name, found.baseline.name, judge) for judge in judges}
    seen = {(one.model, one.baseline, one.judge) for one in preferences}
    problem = None
    if len(preferences) != found.verdicts.judged:
        problem = f"holds {len(preferences)} verdicts, its record counts {found.verdicts.judged}"
    elif strange := sorted(seen - told):
        problem = f"holds verdicts of {' / '.join(strange[0])} (model / baseline / judge), of which its record is not"
    elif not preferences:
        problem = "holds no verdicts"
    if problem:
        raise SuiteError(problem, where=str(path), next_step=_AGAIN)


def _pairs(
    path: Path, found: _Run, preferences: Sequence[Preference], outputs: Iterable[Path], warn: Warn
) -> Pairs | None:
    """The pairs of the two files of outputs; None, with a warning, where they are not there as they were."""
    files = []
    for wanted in (found.model, found.baseline):
        places = [*outputs, path.parent / wanted.outputs, Path(wanted.outputs)]
        same = next((place for place in places if place.is_file() and sha256_of(place) == wanted.sha256), None)
        if same is None:
            why = "has changed" if any(place.is_file() for place in places[-2:]) else "is not here"
            warn(
                f"{path}: {wanted.outputs}, the outputs of {wanted.name}, {why}: the raw file will hold verdicts "
                "without texts. --outputs FILE says where it is"
            )
            return None
        files.append(same)
    model, baseline = files
    pairs = read_pairs(model, baseline, model_name=found.model.name, baseline_name=found.baseline.name, ids="both")
    if strangers := {one.id for one in preferences} - {pair.id for pair in pairs.pairs}:
        what = f"holds the id {min(strangers)!r}, which its files of outputs have not"
        raise SuiteError(what, where=str(path), next_step=_AGAIN)
    return pairs


def _items(preferences: Sequence[Preference], pairs: Pairs | None, *, unjudged: bool) -> list[RawItem]:
    """The ids that were judged and, with `unjudged`, the others of the two files."""
    comparison_of = {pair.id: pair.comparison for pair in pairs.pairs} if pairs else {}
    by_id: dict[str, list[Preference]] = {id_: [] for id_ in comparison_of} if unjudged else {}
    for preference in preferences:
        by_id.setdefault(preference.id, []).append(preference)
    items = []
    for id_, given in by_id.items():
        verdicts = tuple(
            Verdict(judge=one.judge, order=one.order, seed=one.seed, win=one.win, reason=one.reason) for one in given
        )
        if (comparison := comparison_of.get(id_)) is not None:
            asked = comparison.instruction
            item = RawItem(
                id=id_,
                instruction=asked.instruction,
                input=asked.input or None,
                output=comparison.output,
                baseline_output=comparison.baseline_output,
                slices=dict(asked.slices),
                verdicts=verdicts,
            )
        else:
            first = given[0]
            item = RawItem(
                id=id_,
                len_model=first.len_model,
                len_baseline=first.len_baseline,
                slices=dict(first.slices),
                verdicts=verdicts,
            )
        items.append(item)
    return items


def _judge(found: _Run) -> JudgeRecord:
    """The one judge; of several what stands for them all."""
    if len(found.judges) == 1:
        return _one_judge(found.judges[0], found.seed)
    orders = {judge.orders for judge in found.judges}
    return JudgeRecord(
        name=found.panel or ", ".join(judge.name for judge in found.judges),
        template_sha256=None,
        orders=orders.pop() if len(orders) == 1 else "mixed",
        seed=found.seed,
        calibrated=False,
        agreement=f"not calibrated: {len(found.judges)} judges together ({found.combine})",
        has_information=found.informative,
    )


def _one_judge(judge: _Judge, seed: int) -> JudgeRecord:
    return JudgeRecord(
        name=judge.name,
        hash=judge.hash,
        served_id=", ".join(judge.served_ids) or None,
        template_sha256=judge.template_sha256,
        orders=judge.orders,
        seed=seed,
        calibrated=judge.calibrated,
        agreement=judge.card,
        has_information=judge.information.informative,
    )


def _panel(found: _Run) -> PanelRecord | None:
    if len(found.judges) == 1:
        return None
    judges = tuple(_one_judge(judge, found.seed) for judge in found.judges)
    return PanelRecord(combine=found.combine, judges=judges)


def _notes(found: _Run) -> list[str]:
    """What a reader of the numbers must know: what came up, what servers refused, what a judge's canary says."""
    notes = list(found.notes)
    for judge in found.judges:
        notes += [f"{judge.name}: {fallback}." for fallback in judge.fallbacks]
        if judge.precision:
            notes.append(f"{judge.name}: {judge.precision}.")
        canary = judge.canary or {}
        if any(canary.get(key) for key in ("changed", "served", "fingerprints")):
            notes.append(f"{judge.name}: {canary.get('message')}.")
    if found.verdicts.stopped == "budget":
        notes.append(f"Judging ended at its limit of money: {found.verdicts.missing} verdicts are missing.")
    return notes
