"""Runs of HELM's own scenarios (MMLU, BBQ, TruthfulQA …): HELM's statistics of each answer as rates with intervals.

HELM has a mean and no interval. Here each statistic that lies in [0, 1] is a rate over instances, all trials of an
instance together. Our own run specs are no such runs: they have records of their own (`leaderboard build --runs`).
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.leaderboard.importers.helm_run import STATS_FILE, Asked, HelmRun, read_run
from alpaca_eval_suite.leaderboard.importers.scores import SCORES, score_name, with_scores
from alpaca_eval_suite.leaderboard.importers.shared import (
    NOTICED,
    Imported,
    date_of,
    number,
    percent,
    require,
    text,
    text_or_none,
    versions,
    whole,
)
from alpaca_eval_suite.leaderboard.outside import NOT_KNOWN
from alpaca_eval_suite.leaderboard.raw import RawItem
from alpaca_eval_suite.leaderboard.record import (
    RUN_FILE,
    DecodingRecord,
    ModelRecord,
    PromptRecord,
    RunRecord,
    ScenarioRecord,
)

_WHAT = "the folder of a finished HELM run, or one around it (benchmark_output/runs/SUITE)"
_LOCAL = "alpaca/"
_FROM = (
    "Imported from a run of HELM's own scenario: the values of single answers are HELM's, the intervals this suite's. "
    "The fingerprint of the model is not known. The data's hash is over the instances and their references, the "
    "prompt's over all prompts."
)
_CHOSEN = ("exact_match", "quasi_exact_match")
_WRITTEN = (
    "quasi_exact_match",
    "exact_match_indicator",
    "final_number_exact_match",
    "math_equiv_chain_of_thought",
    "math_equiv",
    "exact_match",
    "f1_set_match",
    "f1_score",
)
"""What a run is sorted by, by preference: for multiple choice, and for answers that are written."""


def read_helm_stats(path: Path) -> Iterator[Imported]:
    """The runs of HELM's own scenarios in `path`, a run's folder or any folder around it; our own are passed over.

    Raises UsageError where nothing is there, SuiteError for a folder without such runs and as `read_run` does.
    """
    require(path, _WHAT)
    folders = sorted(file.parent for file in path.rglob(STATS_FILE) if not (file.parent / RUN_FILE).exists())
    if not folders:
        raise SuiteError("holds no finished run of HELM's own scenarios", where=str(path), next_step=f"Give {_WHAT}.")
    for folder in folders:
        yield _run(folder)


def _run(folder: Path) -> Imported:
    found = read_run(folder)
    items = [_item(asked) for asked in found.instances]
    deployment = text(found.adapter.get("model_deployment") or found.adapter.get("model") or NOT_KNOWN)
    # Where a checkpoint lay on somebody's disk is nobody else's business.
    name = deployment.rstrip("/").rpartition("/")[2] if deployment.startswith(_LOCAL) else deployment
    scenario = _scenario_name(found.name)
    run = RunRecord(
        source="helm",
        run=f"{scenario}{',' if ':' in scenario else ':'}model={name}",
        date=date_of(found.seconds, folder / STATS_FILE),
        scenario=ScenarioRecord(
            name=scenario,
            sha256=_over(found, lambda asked: f"{asked.instruction}\0{asked.references}"),
            metric=score_name(_headline(found)),
            licence=NOT_KNOWN,
            n_items=len(items),
        ),
        model=ModelRecord(
            name=name,
            deployment=_LOCAL + name if deployment.startswith(_LOCAL) else deployment,
            dtype=found.made.get("dtype"),
            device=found.made.get("device"),
            batch_size=found.made.get("batch_size"),
        ),
        prompt=PromptRecord(
            format=f"helm {text(found.adapter.get('method', ''))}".strip(),
            sha256=_over(found, lambda asked: str(asked.prompt)),
        ),
        decoding=_decoding(found.adapter),
        rates={},
        versions=versions(),
    )
    run = with_scores(run, items)
    return run.model_copy(update={"notes": (*_notes(found), *_reported(run, found))}), items


def _item(asked: Asked) -> RawItem:
    """The raw item; each score has one value a trial, in the order of the trials."""
    scores = {score_name(name): [trials[trial] for trial in sorted(trials)] for name, trials in asked.scores.items()}
    return RawItem(
        id=asked.id, instruction=asked.instruction, prompt=asked.prompt, output=asked.output, key={SCORES: scores}
    )


def _headline(found: HelmRun) -> str:
    """The score that the table is sorted by."""
    chosen = text(found.adapter.get("method", "")).startswith("multiple_choice")
    names = found.names
    return next((name for name in (_CHOSEN if chosen else _WRITTEN) if name in names), names[0])


def _scenario_name(name: str) -> str:
    """The run's name, SPEC:key=value,key=value, without its model: runs of two models have one scenario then."""
    spec, _, arguments = name.partition(":")
    kept = [part for part in arguments.split(",") if part and not part.startswith(("model=", "model_deployment="))]
    return text(f"{spec}:{','.join(kept)}" if kept else spec)


def _decoding(adapter: Mapping[str, Any]) -> DecodingRecord:
    stop = adapter.get("stop_sequences")
    return DecodingRecord(
        max_tokens=whole(adapter.get("max_tokens")),
        temperature=number(adapter.get("temperature")),
        stop=tuple(map(text, stop)) if isinstance(stop, list) else (),
    )


def _over(found: HelmRun, part: Callable[[Asked], str]) -> str:
    """A hash over a part of all instances, in any order."""
    return sha256_text("\n".join(sorted(sha256_text(text(f"{asked.id}\0{part(asked)}")) for asked in found.instances)))


def _notes(found: HelmRun) -> list[str]:
    notes = [_FROM]
    trials = max(len(values) for asked in found.instances for values in asked.scores.values())
    if trials > 1:
        notes.append(f"{trials} trials with other examples in the prompt; a rate is over instances, all trials of one "
                     "together.")  # fmt: skip
    if found.n_other_splits:
        notes.append(f"The split test alone, as HELM counts; {found.n_other_splits} instances of others are left out.")
    if found.n_perturbed:
        notes.append("HELM also asked changed copies of the instances (perturbations); they are left out.")
    outside = sorted(
        {
            name
            for asked in found.instances
            for name, trials_of in asked.scores.items()
            if not all(0 <= value <= 1 for value in trials_of.values())
        }
    )
    if outside:
        notes.append(f"Values do not lie in [0, 1], so there is a mean and no rate: {', '.join(outside)}.")
    joint = text_or_none(found.adapter.get("method")) == "multiple_choice_joint"
    if joint and (whole(found.adapter.get("max_tokens")) or 0) > 1:
        notes.append("HELM counts an answer that goes on after its letter as wrong; num_output_tokens=1 ends it there.")
    return notes


def _reported(run: RunRecord, found: HelmRun) -> list[str]:
    """Where HELM's figure is not the mean of the instances'."""
    notes = []
    for name in found.names:
        reported, rate = found.overall.get(name), run.rates.get(score_name(name))
        if reported is None or rate is None or rate.value is None or abs(reported - rate.value) <= NOTICED:
            continue
        notes.append(f"{name}: HELM reports {percent(reported)}; the mean over the instances is {percent(rate.value)}.")
    return notes
