"""Samples of lm-evaluation-harness: one run a task, each metric of single documents a rate with an interval.

The results_*.json beside them names model, versions and settings. Its figures are compared with what follows from the
documents: metrics that the harness does not average (f1 over all, perplexity) differ, and a note says so.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text, sha256_text
from alpaca_eval_suite.leaderboard.importers.lm_eval_samples import Document, Samples, read_samples, shown
from alpaca_eval_suite.leaderboard.importers.scores import score_name, with_scores
from alpaca_eval_suite.leaderboard.importers.shared import (
    NOTICED,
    Imported,
    date_of,
    number,
    object_at,
    percent,
    require,
    text,
    text_or_none,
    versions,
    whole,
)
from alpaca_eval_suite.leaderboard.outside import NOT_KNOWN, UNKNOWN_DECODING
from alpaca_eval_suite.leaderboard.record import DecodingRecord, ModelRecord, PromptRecord, RunRecord, ScenarioRecord

_WHAT = "a samples_TASK_DATE.jsonl of lm-evaluation-harness, or the folder that holds it"
_NAME = re.compile(r"(?:samples_)?(?P<task>.+?)(?:_(?P<date>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?))?$")
_FROM = (
    "Imported from samples of lm-evaluation-harness, no run of this suite: the fingerprint of the model is not known. "
    "The data's hash is over the documents and their targets, the prompt's over all prompts."
)
_NO_RESULTS = "There is no results_*.json beside the samples: the model's name is the folder's, the date the file's."
_PREFERRED = ("acc", "exact_match", "acc_norm")


def read_lm_eval(path: Path) -> Iterator[Imported]:
    """The runs in `path`, a file of samples or a folder of them. Raises SuiteError as `read_samples` does, and for
    a results file that cannot be read, UsageError where nothing is there."""
    require(path, _WHAT)
    files = [path]
    if path.is_dir():
        files = sorted(path.rglob("samples_*.jsonl"))
        if not files:
            raise SuiteError(
                "holds no samples_*.jsonl", where=str(path), next_step="The harness writes them with --log_samples."
            )
    for file in files:
        yield _run(file)


def _run(path: Path) -> Imported:
    samples = read_samples(path)
    match = _NAME.fullmatch(path.stem)
    task = text(match["task"] if match else path.stem)
    results = _results(path, match["date"] if match else None)
    where = str(path)
    config = object_at(results, "config", where)
    items = [document.item() for document in samples.documents]
    metric = _headline(samples)
    model = _model_name(results, config) or text(path.absolute().parent.name)
    run = RunRecord(
        source="lm_eval",
        run=f"lm_eval:task={task},model={model}",
        date=date_of(number(results.get("date")), path),
        scenario=ScenarioRecord(
            name=task,
            sha256=_over(samples.documents, 0, 2),
            metric=score_name(shown(metric)),
            licence=NOT_KNOWN,
            n_items=len(items),
        ),
        model=ModelRecord(
            name=model,
            deployment=f"{text(config.get('model', 'lm_eval'))}/{model}",
            dtype=_told(config, "model_dtype"),
            device=_told(config, "device"),
            batch_size=_told(config, "batch_size"),
        ),
        prompt=PromptRecord(format="unknown", sha256=_over(samples.documents, 1)),
        decoding=_decoding(samples.documents[0].settings),
        rates={},
        versions=versions(
            {
                "lm_eval": results.get("lm_eval_version"),
                "transformers": results.get("transformers_version"),
                f"task {task}": object_at(results, "versions", where).get(task),
            }
        ),
    )
    run = with_scores(run, items)
    notes = [*_notes(samples, results, task, where), *_reported(run, samples, results, task)]
    return run.model_copy(update={"notes": tuple(notes)}), items


def _results(path: Path, date: str | None) -> dict[str, Any]:
    """The results file of the same date, else the only one of the folder, else nothing."""
    same = path.with_name(f"results_{date}.json")
    files = [same] if date and same.is_file() else sorted(path.parent.glob("results*.json"))
    if len(files) != 1:
        return {}
    try:
        # The harness writes NaN for an error that it did not estimate.
        found = json.loads(read_text(files[0]), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"is not valid JSON ({error})", where=str(files[0]), next_step="Restore the file.") from error
    if not isinstance(found, dict) or not isinstance(found.get("results"), dict):
        raise SuiteError("is not a results file of lm-evaluation-harness", where=str(files[0]))
    return found


def _headline(samples: Samples) -> str:
    """The metric that the table is sorted by: accuracy or exact match where there is one, else the first."""
    for metric in _PREFERRED:
        for name in samples.names:
            if name.partition(",")[0] == metric:
                return name
    return samples.names[0]


def _model_name(results: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """The name as the results give it, else from the arguments of the model. Of a path the last part is enough: where a
    checkpoint lay on somebody's disk is nobody else's business."""
    named = _named(results, config)
    local = named is not None and re.match(r"[/\\~.]|[A-Za-z]:[/\\]", named)
    return re.split(r"[/\\]", named.rstrip("/\\"))[-1] if named and local else named


def _named(results: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    if named := text_or_none(results.get("model_name")):
        return named
    arguments = config.get("model_args")
    if isinstance(arguments, str):
        arguments = dict(part.split("=", 1) for part in arguments.split(",") if "=" in part)
    if isinstance(arguments, dict):
        for key in ("peft", "delta", "pretrained", "model", "path", "engine"):
            if named := text_or_none(arguments.get(key)):
                return named
    return None


def _told(config: Mapping[str, Any], key: str) -> str | None:
    value = config.get(key)
    return None if value is None or isinstance(value, dict | list) else text(value)


def _decoding(settings: Mapping[str, Any]) -> DecodingRecord:
    """The settings of the first request; none where likelihoods were compared."""
    if not settings:
        return UNKNOWN_DECODING
    temperature = number(settings.get("temperature"))
    if temperature is None and settings.get("do_sample") is False:
        temperature = 0.0
    limits = (whole(settings.get(key)) for key in ("max_gen_toks", "max_new_tokens", "max_tokens"))
    until = settings.get("until")
    stop = [until] if isinstance(until, str) else until if isinstance(until, list) else []
    return DecodingRecord(
        max_tokens=next((limit for limit in limits if limit is not None), None),
        temperature=temperature,
        stop=tuple(map(text, stop)),
    )


def _over(documents: tuple[Document, ...], *parts: int) -> str:
    """A hash over some of the hashes of all documents, in any order."""
    lines = sorted(":".join([document.id, *(document.hashes[part] for part in parts)]) for document in documents)
    return sha256_text("\n".join(lines))


def _notes(samples: Samples, results: Mapping[str, Any], task: str, where: str) -> list[str]:
    notes = [_FROM]
    if not results:
        notes.append(_NO_RESULTS)
    config = object_at(results, "config", where)
    if config.get("model_sha"):
        notes.append(f"Revision of the model, as the harness names it: {text(config['model_sha'])[:64]}.")
    counted = object_at(object_at(results, "n-samples", where), task, where)
    original, effective = whole(counted.get("original")), whole(counted.get("effective"))
    if original is not None and effective is not None and effective < original:
        notes.append(f"The first {effective:,} of {original:,} documents alone (--limit), no random sample.")
    if not samples.documents[0].settings:
        notes.append("Nothing was generated: the likelihoods of given answers were compared.")
    if samples.without_numbers:
        names = ", ".join(shown(name) for name in samples.without_numbers)
        notes.append(f"Without a value of each document, so not imported: {names}.")
    outside = sorted({shown(name) for d in samples.documents for name, v in d.values.items() if not 0 <= v <= 1})
    if outside:
        notes.append(f"Values do not lie in [0, 1], so there is a mean and no rate: {', '.join(outside)}.")
    return notes


def _reported(run: RunRecord, samples: Samples, results: Mapping[str, Any], task: str) -> list[str]:
    """Where a figure of the harness is not the mean of its documents."""
    of_task = object_at(object_at(results, "results", run.run), task, run.run)
    notes = []
    for name in samples.names:
        reported = number(of_task.get(name, of_task.get(name.partition(",")[0])))
        rate = run.rates.get(score_name(shown(name)))
        if reported is None or rate is None or rate.value is None or abs(reported - rate.value) <= NOTICED:
            continue
        notes.append(
            f"{shown(name)}: the harness reports {percent(reported)}; the mean over the documents is "
            f"{percent(rate.value)}."
        )
    return notes
