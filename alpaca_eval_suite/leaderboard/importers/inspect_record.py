"""What an inspect_ai log says of the run: model, task, settings, and the model that graded, if one did."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.judge.card import NOT_CALIBRATED
from alpaca_eval_suite.judge.families import self_judged
from alpaca_eval_suite.leaderboard.importers.inspect_log import InspectLog
from alpaca_eval_suite.leaderboard.importers.inspect_sample import Sample
from alpaca_eval_suite.leaderboard.importers.shared import (
    date_of_file,
    name_of,
    number,
    object_at,
    text,
    versions,
    whole,
)
from alpaca_eval_suite.leaderboard.outside import NOT_KNOWN
from alpaca_eval_suite.leaderboard.record import (
    DecodingRecord,
    JudgeRecord,
    ModelRecord,
    PromptRecord,
    RunRecord,
    ScenarioRecord,
)

ByEpoch = Mapping[str, Sequence[Sample]]
"""The samples of each id, one an epoch; none for an id that the log lacks."""

_GRADED_BY_MODEL = "model_graded"


def record_of(log: InspectLog, samples: ByEpoch, *, metric: str) -> RunRecord:
    """The record without its numbers. `metric` names the headline rate."""
    where = str(log.path)
    of_eval = log.header["eval"]
    task = name_of(of_eval, "task", where, NOT_KNOWN)
    model = name_of(of_eval, "model", where, NOT_KNOWN)
    dataset = name_of(object_at(of_eval, "dataset", where), "name", where, "")
    plan = object_at(log.header, "plan", where)
    how = {**object_at(of_eval, "model_generate_config", where), **object_at(plan, "config", where)}
    stop = how.get("stop_seqs")
    asked = sorted((id_, of[0].instruction, of[0].target) if of else (id_, "", "") for id_, of in samples.items())
    steps = json.dumps(plan.get("steps"), sort_keys=True, ensure_ascii=True)
    served = {one.served_id for of_id in samples.values() for one in of_id if one.served_id}
    names = {model, model.rpartition("/")[2]}
    return RunRecord(
        source="inspect_ai",
        run=f"inspect_ai:task={task},model={model}",
        date=_date(log),
        scenario=ScenarioRecord(
            name=task if not dataset or dataset == task else f"{task} ({dataset})",
            sha256=sha256_text(json.dumps(asked, ensure_ascii=True)),
            metric=metric,
            licence=NOT_KNOWN,
            n_items=len(samples),
        ),
        model=ModelRecord(name=model, deployment=model, served_id=", ".join(sorted(served - names)) or None),
        prompt=PromptRecord(format="unknown", sha256=sha256_text(steps)),
        decoding=DecodingRecord(
            max_tokens=whole(how.get("max_tokens")),
            temperature=number(how.get("temperature")),
            stop=tuple(map(text, stop)) if isinstance(stop, list) else (),
        ),
        rates={},
        versions=versions(object_at(of_eval, "packages", where)),
    )


def _date(log: InspectLog) -> str:
    stats = log.header.get("stats")
    for date in (stats.get("completed_at") if isinstance(stats, dict) else None, log.header["eval"].get("created")):
        if isinstance(date, str) and date:
            try:
                return datetime.fromisoformat(date).isoformat(timespec="seconds")
            except ValueError:
                continue
    return date_of_file(log.path)


def grader_of(log: InspectLog, headline: str) -> tuple[JudgeRecord | None, str | None]:
    """The model that graded, where the headline's scorer asks one, and how it is related to the one graded."""
    of_eval, where = log.header["eval"], str(log.path)
    scorers = of_eval.get("scorers")
    scorer = next(
        (
            one
            for one in (scorers if isinstance(scorers, list) else [])
            if isinstance(one, dict) and str(one.get("name")).rpartition("/")[2] == headline
        ),
        None,
    )
    if scorer is None or not headline.startswith(_GRADED_BY_MODEL):
        return None, None
    options = object_at(scorer, "options", where)
    roles = object_at(of_eval, "model_roles", where)
    grader = options.get("model") or (roles.get("grader") or {}).get("model")
    # Without a model of its own the scorer asks the one that it grades.
    names = [text(name) for name in (grader if isinstance(grader, list) else [grader or of_eval.get("model")])]
    template = options.get("template")
    judge = JudgeRecord(
        name=f"{headline}@{', '.join(names)}",
        template_sha256=sha256_text(text(template)) if isinstance(template, str) else None,
        orders="single",
        seed=0,
        calibrated=False,
        agreement=NOT_CALIBRATED,
    )
    related = [why for name in names if (why := self_judged(name, text(of_eval.get("model")), ""))]
    return judge, "; ".join(related) or None
