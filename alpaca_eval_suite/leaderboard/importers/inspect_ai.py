"""Logs of inspect_ai: scores of samples as rates, comparisons as preferences; epochs are averaged within a sample.

A score is a comparison where its metadata names the `baseline` that the output was compared with; its value is then
the win (C or 1 for the model, I or 0 for the baseline, P or 0.5 for a tie). `baseline_output`, `order`
(model_first, baseline_first) and `judge` may stand there too.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.card import NOT_CALIBRATED
from alpaca_eval_suite.judge.families import self_judged
from alpaca_eval_suite.judge.reply import shortened
from alpaca_eval_suite.leaderboard.importers.inspect_log import InspectLog, open_log
from alpaca_eval_suite.leaderboard.importers.inspect_notes import notes_of_figures, notes_of_log, notes_of_values
from alpaca_eval_suite.leaderboard.importers.inspect_record import ByEpoch, grader_of, record_of
from alpaca_eval_suite.leaderboard.importers.inspect_sample import Sample, read_sample
from alpaca_eval_suite.leaderboard.importers.scores import SCORES, score_name, with_scores
from alpaca_eval_suite.leaderboard.importers.shared import (
    Imported,
    bad,
    name_of,
    object_at,
    require,
    text,
    text_or_none,
    whole,
)
from alpaca_eval_suite.leaderboard.outside import METRIC
from alpaca_eval_suite.leaderboard.raw import RawItem, Verdict
from alpaca_eval_suite.leaderboard.record import (
    BaselineRecord,
    JudgeRecord,
)
from alpaca_eval_suite.types import ORDERS

_WHAT = "a log of inspect_ai (.eval or .json), or a folder of logs"
_MOST_VALUES = 20  # of a metadata key that becomes a slice


def read_inspect(path: Path) -> Iterator[Imported]:
    """The runs in `path`, a log or a folder of logs: one of the scores, one for each scorer that compares.

    Raises SuiteError naming file and sample for what is damaged, UsageError where nothing is there.
    """
    require(path, _WHAT)
    logs = [path]
    if path.is_dir():
        logs = sorted(log for log in path.rglob("*") if log.suffix in (".eval", ".json") and log.name[:1].isdigit())
        if not logs:
            raise SuiteError("holds no logs of inspect_ai", where=str(path), next_step=f"Give {_WHAT}.")
    for log in logs:
        yield from _runs(open_log(log))


def _runs(log: InspectLog) -> Iterator[Imported]:
    samples = _by_id(log)
    names = list(dict.fromkeys(name for of_id in samples.values() for one in of_id for name in one.scores))
    comparing = [name for name in names if _baseline(samples, name) is not None]
    for name in comparing:
        yield _compared(log, samples, name)
    scoring = [name for name in names if name not in comparing]
    if scoring:
        yield _scored(log, samples, scoring)
    if not names:
        raise SuiteError(
            "holds no scores", where=str(log.path), next_step="Score it first: inspect score LOG --scorer NAME."
        )


def _by_id(log: InspectLog) -> dict[str, list[Sample]]:
    """The samples of each id in the order of their epochs; ids of the data set without one have none."""
    of_eval = log.header["eval"]
    wanted = object_at(of_eval, "dataset", str(log.path)).get("sample_ids")
    found: dict[str, list[Sample]] = {text(id_): [] for id_ in wanted} if isinstance(wanted, list) else {}
    seen: dict[tuple[str, int], str] = {}
    for where, row in log.samples:
        sample = read_sample(row, where)
        if (first := seen.setdefault((sample.id, sample.epoch), where)) != where:
            raise SuiteError(f"sample {sample.id!r}, epoch {sample.epoch} stands twice, first at {first}", where=where)
        found.setdefault(sample.id, []).append(sample)
    if not seen:
        raise SuiteError(
            "holds no samples",
            where=str(log.path),
            next_step="A log that was written without samples (--no-log-samples) holds figures alone.",
        )
    for of_id in found.values():
        of_id.sort(key=lambda sample: sample.epoch)
    return found


def _scored(log: InspectLog, samples: ByEpoch, names: Sequence[str]) -> Imported:
    headline = _headline(log, names)
    epochs = _epochs(log, samples)
    items = [
        item.model_copy(update={"key": {SCORES: {score_name(name): _values(of_id, name, epochs) for name in names}}})
        for id_, of_id in samples.items()
        for item in [_item(id_, of_id, _slices(samples))]
    ]
    judge, related = grader_of(log, headline)
    run = record_of(log, samples, metric=score_name(headline)).model_copy(
        update={"judge": judge, "self_judged": related}
    )
    run = with_scores(run, items)
    notes = [*notes_of_log(log, samples, epochs), *notes_of_values(samples, names), *notes_of_figures(log, run, names)]
    return run.model_copy(update={"notes": tuple(notes)}), items


def _compared(log: InspectLog, samples: ByEpoch, name: str) -> Imported:
    baseline = _baseline(samples, name) or ""
    items = []
    judges: set[str] = set()
    for id_, of_id in samples.items():
        verdicts = [_verdict(sample, name) for sample in of_id]
        judges |= {verdict.judge for verdict in verdicts}
        outputs = [
            output
            for sample in of_id
            if name in sample.scores
            and (output := text_or_none(sample.scores[name].metadata.get("baseline_output"))) is not None
        ]
        item = _item(id_, of_id, _slices(samples))
        items.append(
            item.model_copy(update={"verdicts": tuple(verdicts), "baseline_output": outputs[0] if outputs else None})
        )
    run = record_of(log, samples, metric=METRIC)
    judge = JudgeRecord(
        name=", ".join(sorted(judges)) or name,
        template_sha256=None,
        orders="single",
        seed=0,
        calibrated=False,
        agreement=NOT_CALIBRATED,
    )
    related = self_judged(judge.name, run.model.name, baseline)
    run = run.model_copy(update={"judge": judge, "baseline": BaselineRecord(name=baseline), "self_judged": related})
    run = with_scores(run, items)
    notes = notes_of_log(log, samples, _epochs(log, samples))
    return run.model_copy(update={"notes": tuple(notes)}), items


def _baseline(samples: ByEpoch, name: str) -> str | None:
    """The baseline that a scorer compares with. Raises SuiteError where it names several."""
    known: str | None = None
    for of_id in samples.values():
        for sample in of_id:
            if name in sample.scores and (named := text_or_none(sample.scores[name].metadata.get("baseline"))):
                if known not in (None, named):
                    raise SuiteError(f"{name!r} compares with {named!r} and with {known!r}", where=sample.where)
                known = named
    return known


def _verdict(sample: Sample, name: str) -> Verdict:
    score = sample.scores.get(name)
    metadata = score.metadata if score else {}
    order = metadata.get("order")
    value = score.value if score and not sample.failed else None
    if value is not None and not 0 <= value <= 1:
        raise bad(name, f"the win of a comparison must lie in [0, 1], not {value:g}", sample.where)
    return Verdict(
        judge=name_of(metadata, "judge", sample.where, name),
        order=order if order in ORDERS else "single",
        seed=sample.epoch - 1,
        win=value,
        reason=shortened(score.explanation) if score and value is not None else "it has no score",
    )


def _item(id_: str, of_id: Sequence[Sample], slices: Sequence[str]) -> RawItem:
    """The item with the texts of its first epoch that has them."""
    shown = next((sample for sample in of_id if sample.output is not None), of_id[0] if of_id else None)
    if shown is None:
        return RawItem(id=id_)
    return RawItem(
        id=id_,
        instruction=shown.instruction,
        prompt=shown.messages or None,
        output=shown.output,
        slices={key: text(shown.metadata[key]) for key in slices if isinstance(shown.metadata.get(key), str)},
        cut_off=shown.cut_off,
    )


def _slices(samples: ByEpoch) -> list[str]:
    """The keys of the metadata that results can be broken down by: few different texts."""
    values: dict[str, set[str]] = {}
    for of_id in samples.values():
        for key, value in of_id[0].metadata.items() if of_id else ():
            if isinstance(value, str):
                values.setdefault(key, set()).add(value)
    return sorted(key for key, found in values.items() if 1 < len(found) <= min(_MOST_VALUES, len(samples) // 2))


def _values(of_id: Sequence[Sample], name: str, epochs: int) -> list[float | None]:
    """The score of each epoch, None where it failed or is missing."""
    of_epoch = {sample.epoch: sample for sample in of_id}
    return [
        of_epoch[epoch].scores[name].value
        if epoch in of_epoch and name in of_epoch[epoch].scores and not of_epoch[epoch].failed
        else None
        for epoch in range(1, epochs + 1)
    ]


def _epochs(log: InspectLog, samples: ByEpoch) -> int:
    planned = whole(object_at(log.header["eval"], "config", str(log.path)).get("epochs")) or 1
    return max([planned, *(sample.epoch for of_id in samples.values() for sample in of_id)])


def _headline(log: InspectLog, names: Sequence[str]) -> str:
    """The score that the log puts first, else the first scorer's."""
    results = log.header.get("results")
    headline = results.get("headline") if isinstance(results, dict) else None
    named = headline.get("score") if isinstance(headline, dict) else None
    return str(named) if named in names else names[0]
