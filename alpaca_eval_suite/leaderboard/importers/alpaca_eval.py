"""AlpacaEval's published results: folders of annotations, single files, leaderboard CSVs, the reference form.

The ids are hashes of the instructions, and the data's hash is over the ids, as for outputs judged here that had no
ids of their own. What was published is compared with what follows from the verdicts.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from alpaca_eval_suite.cards import list_cards, load_card, load_instructions
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.card import NOT_CALIBRATED
from alpaca_eval_suite.judge.families import self_judged
from alpaca_eval_suite.leaderboard.importers.annotations import (
    Annotations,
    Ids,
    ids_of_outputs,
    read_annotations,
    read_instructions,
    read_verdicts,
)
from alpaca_eval_suite.leaderboard.importers.published import (
    AS_PUBLISHED,
    Published,
    baseline_of,
    index,
    is_leaderboard,
    read_published,
)
from alpaca_eval_suite.leaderboard.importers.shared import Imported, date_of_file, require, text, versions
from alpaca_eval_suite.leaderboard.outside import METRIC, NOT_KNOWN, UNKNOWN_DECODING, UNKNOWN_PROMPT, scenario_of
from alpaca_eval_suite.leaderboard.raw import ids_hash
from alpaca_eval_suite.leaderboard.recompute import with_figures
from alpaca_eval_suite.leaderboard.record import (
    BaselineRecord,
    JudgeRecord,
    ModelRecord,
    RunRecord,
    ScenarioRecord,
)

NAME = "alpaca_eval"
SET_SIZE = 805
SET_HASH = "54b961f42a5a34f82c87be3bf422cef1071bcdf10f5c29c5723fb2a0e5ebb626"
"""`ids_hash` of the 805 instructions of AlpacaEval: what its leaderboards are about."""
LICENCE = "CC BY-NC 4.0"

ANNOTATIONS_FILE = "annotations.json"
OUTPUTS_FILE = "model_outputs.json"
INSTRUCTIONS_FILE = "instructions.jsonl"
PAIRWISE_FOLDER = "pairwise"
REFERENCE_TABLE = "golden.csv"

_WHAT = "AlpacaEval's results folder, one of its annotations.json, or a leaderboard CSV"
_FROM_ANNOTATIONS = (
    "Imported from AlpacaEval's annotations, no run of this suite: the prompt, the decoding and the fingerprint of the "
    "model are not known, nor is the version of the judge, which saw each pair once, in an order that is not known. "
    "The date is the file's."
)
_FROM_TABLE = (
    "Imported from a leaderboard of AlpacaEval, as published, not recomputed: its verdicts are not there. The interval "
    "is the normal one of the published standard error; failures, prompt, decoding and fingerprint are not known. The "
    "date is the file's."
)
_ASSUMED_SET = "The leaderboard does not name its instructions: taken to be AlpacaEval's 805."


def read_alpaca_eval(path: Path) -> Iterator[Imported]:
    """The runs in `path`: a folder as AlpacaEval's repository has it (results/MODEL/JUDGE/annotations.json and
    leaderboard CSVs anywhere in it), the reference form (instructions.jsonl and pairwise/JUDGE/MODEL.jsonl), one file
    of annotations, or one leaderboard CSV.

    A row of a leaderboard whose verdicts are not there becomes a run without items, as published. Raises SuiteError
    naming file and place for what is damaged, UsageError where nothing is there.
    """
    require(path, _WHAT)
    if path.is_dir():
        files = sorted(path.rglob(ANNOTATIONS_FILE))
        if not files and (path / PAIRWISE_FOLDER).is_dir():
            return _read_reference(path)
        tables = [read_published(table) for table in sorted(path.rglob("*leaderboard.csv")) if is_leaderboard(table)]
        if not files and not tables:
            raise SuiteError(f"holds neither {ANNOTATIONS_FILE} nor leaderboards", where=str(path), next_step=_GIVE)
        return _read_files(files, tables)
    if path.suffix.lower() == ".csv":
        return _read_files([], [read_published(path)])
    beside = path.parent / "leaderboard.csv"
    return _read_files([path], [], [read_published(beside)] if beside.is_file() else [])


_GIVE = f"Give {_WHAT}."


def _read_files(
    files: Sequence[Path], tables: Sequence[Sequence[Published]], beside: Sequence[Sequence[Published]] = ()
) -> Iterator[Imported]:
    """The runs of annotations, then those rows of `tables` that have none; `beside` is only compared with."""
    rows = _index([*tables, *beside])
    done: set[tuple[str, str]] = set()
    sets: dict[str, Ids] = {}
    baselines: dict[str, set[str]] = {}
    incomplete: list[Path] = []
    for path in files:
        found = read_annotations(path)
        for annotations in found:
            sets.setdefault(ids_hash(annotations.ids), annotations.ids)
            done |= {(annotations.judge, name) for name in _names(annotations)}
            baselines.setdefault(annotations.judge, set()).add(annotations.baseline)
        if all(ids_hash(annotations.ids) == SET_HASH for annotations in found):
            yield from (_of_annotations(annotations, annotations.ids, rows) for annotations in found)
        else:
            incomplete.append(path)  # which set it is of is known when all files have been seen
    for path in incomplete:
        for annotations in read_annotations(path):
            yield _of_annotations(annotations, _set_of(annotations, sets.values()), rows)
    for table in _by_judge(tables):
        yield from _of_table(table, done, baselines, rows)


def _read_reference(folder: Path) -> Iterator[Imported]:
    instructions = read_instructions(folder / INSTRUCTIONS_FILE)
    table = folder / REFERENCE_TABLE
    rows = _index([read_published(table)] if table.is_file() else [])
    ids = frozenset(item.id for item in instructions.values())
    for path in sorted((folder / PAIRWISE_FOLDER).glob("*/*.jsonl")):
        judge = path.parent.name
        baseline = baseline_of(row for row in rows.values() if row.judge == judge)
        yield _of_annotations(read_verdicts(path, instructions, baseline or NOT_KNOWN), ids, rows)


def _index(tables: Sequence[Sequence[Published]]) -> Mapping[tuple[str, str], Published]:
    """Rows by judge and model. A model's own leaderboard.csv, which lies in its folder, goes before the others."""
    own = [[row for row in rows if row.model in Path(row.where).parts] for rows in tables]
    return index([*own, *tables])


@cache
def _scenario(ids: Ids) -> ScenarioRecord:
    """The set of instructions that comparable runs have in common, of which a run may lack some."""
    known = ids_hash(ids) == SET_HASH
    found = scenario_of(NAME if known else f"{NAME}_{len(ids)}", ids, lambda _: None)
    return found.model_copy(update={"licence": LICENCE}) if known and found.licence == NOT_KNOWN else found


@cache
def _whole_set() -> ScenarioRecord:
    """AlpacaEval's 805, by their hash, or as they are installed here."""
    if NAME in list_cards():
        with suppress(SuiteError):  # its data is not here
            ids = frozenset(item.id for item in load_instructions(load_card(NAME)))
            if ids_hash(ids) == SET_HASH:
                return _scenario(ids)
    return ScenarioRecord(name=NAME, sha256=SET_HASH, metric=METRIC, licence=LICENCE, n_items=SET_SIZE)


def _set_of(annotations: Annotations, sets: Iterable[Ids]) -> Ids:
    """The largest set that was seen and holds all the ids, or that of the model's file of outputs."""
    ids = annotations.ids
    holding = [of for of in sets if of >= ids]
    for folder in (annotations.path.parent, annotations.path.absolute().parent.parent):
        outputs = folder / OUTPUTS_FILE
        if outputs.is_file() and (of_outputs := ids_of_outputs(outputs)) >= ids:
            holding.append(of_outputs)
            break
    return max(holding, key=len, default=ids)


def _names(annotations: Annotations) -> list[str]:
    """What a leaderboard may call the model: as the rows do, or as the folder that holds the results."""
    return [annotations.model, *(part for part in annotations.path.absolute().parts[-3:-1])]


def _of_annotations(annotations: Annotations, of: Ids, rows: Mapping[tuple[str, str], Published]) -> Imported:
    run = RunRecord(
        source="alpaca_eval",
        run=_run_name(annotations.judge, annotations.baseline, annotations.model),
        date=date_of_file(annotations.path),
        scenario=_scenario(of),
        model=_model(annotations.model),
        prompt=UNKNOWN_PROMPT,
        decoding=UNKNOWN_DECODING,
        baseline=BaselineRecord(name=annotations.baseline),
        judge=_judge(annotations.judge),
        self_judged=_self_judged(annotations.judge, annotations.model, annotations.baseline),
        cost_usd=annotations.cost_usd,
        rates={},
        versions=versions(),
    )
    run = with_figures(run, annotations.items)
    notes = [_FROM_ANNOTATIONS]
    if missing := len(of) - len(annotations.items):
        notes.append(f"{missing} of the {len(of)} instructions have no row in the file, and are not counted as failed.")
    published = next((rows[key] for name in _names(annotations) if (key := (annotations.judge, name)) in rows), None)
    if published is not None:
        notes += [*published.differences(run), *_listed(published)]
    return run.model_copy(update={"notes": tuple(notes)}), annotations.items


def _by_judge(tables: Sequence[Sequence[Published]]) -> list[list[Published]]:
    """The tables, each cut into the rows of one judge."""
    return [
        [row for row in rows if row.judge == judge] for rows in tables for judge in dict.fromkeys(r.judge for r in rows)
    ]


def _of_table(
    table: Sequence[Published],
    done: set[tuple[str, str]],
    baselines: Mapping[str, set[str]],
    rows: Mapping[tuple[str, str], Published],
) -> Iterator[Imported]:
    """The rows of one judge that are not `done`, which they then are."""
    seen = baselines.get(table[0].judge, set()) if table else set()
    # A leaderboard may call the baseline by an older name than the annotations do.
    baseline = (next(iter(seen)) if len(seen) == 1 else baseline_of(table)) or NOT_KNOWN
    whole_set = max((row.n for row in table), default=0) == SET_SIZE
    for row in table:
        key = (row.judge, row.model)
        if key in done or row.is_baseline:
            continue
        done.add(key)
        yield _of_published(rows[key], baseline, whole_set), []


def _of_published(row: Published, baseline: str, whole_set: bool) -> RunRecord:
    rate = row.rate()
    unknown = ScenarioRecord(name=NAME, sha256="", metric=METRIC, licence=NOT_KNOWN, n_items=0)
    numbers = {"mean_length": row.mean_length, "published_length_controlled": row.length_controlled}
    return RunRecord(
        source="alpaca_eval",
        run=_run_name(row.judge, baseline, row.model),
        date=date_of_file(Path(row.where.rpartition(":")[0])),
        scenario=(_whole_set() if whole_set else unknown).model_copy(update={"n_items": row.n + row.n_failed}),
        model=_model(row.model),
        prompt=UNKNOWN_PROMPT,
        decoding=UNKNOWN_DECODING,
        baseline=BaselineRecord(name=text(baseline)),
        judge=_judge(row.judge),
        self_judged=_self_judged(row.judge, row.model, baseline),
        rates={"win_rate": rate},
        numbers={name: value for name, value in numbers.items() if value is not None},
        win_rate={
            "n": row.n,
            "n_failed": row.n_failed,
            "wins": row.wins,
            "losses": row.losses,
            "ties": row.ties,
            "win_rate": row.win_rate,
            "se": row.se,
            "ci": rate.ci.model_dump() if rate.ci else None,
            "worst_case": None,
            "minimum_detectable_difference": None,
            "reason": AS_PUBLISHED,
        },
        versions=versions(),
        notes=(_FROM_TABLE, *((_ASSUMED_SET,) if whole_set else ()), *_listed(row)),
    )


def _run_name(judge: str, baseline: str, model: str) -> str:
    return text(f"{NAME}:judge={judge},baseline={baseline},model={model}")


def _model(name: str) -> ModelRecord:
    return ModelRecord(name=text(name), deployment=text(f"{NAME}/{name}"))


def _judge(name: str) -> JudgeRecord:
    return JudgeRecord(
        name=text(name), template_sha256=None, orders="single", seed=0, calibrated=False, agreement=NOT_CALIBRATED
    )


def _self_judged(judge: str, model: str, baseline: str) -> str | None:
    """By the judge's name without the program's, which would make an Alpaca of every judge."""
    return self_judged(re.sub(r"alpaca_?eval", "", judge, flags=re.IGNORECASE), model, baseline)


def _listed(row: Published) -> list[str]:
    return [f"AlpacaEval lists it as {text(row.listed_as)!r}."] if row.listed_as else []
