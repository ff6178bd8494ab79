"""Outputs that exist already: a baseline's, or a user's own file, joined to a scenario's items by id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpaca_eval_suite.cards.card import Baseline, Card, OutputColumns
from alpaca_eval_suite.cards.data import find_data
from alpaca_eval_suite.cards.rows import cell
from alpaca_eval_suite.errors import Report, SuiteError, stop
from alpaca_eval_suite.files import read_rows, sha256_of
from alpaca_eval_suite.prompts import chat_message
from alpaca_eval_suite.types import Completion, Instruction

_NAMED = 10
_USER_COLUMNS = OutputColumns(id="id", output="output", instruction="instruction", input="input")


@dataclass(frozen=True)
class OutputsFile:
    """Where a set of outputs lies, whose they are, and which columns hold what."""

    path: Path
    model: str
    columns: OutputColumns = _USER_COLUMNS


def baseline_outputs(card: Card, baseline: Baseline) -> OutputsFile:
    """The card's own baseline, its file found or fetched."""
    return OutputsFile(find_data(baseline.data, card.folder), baseline.name, baseline.columns)


def outputs_hash(outputs: OutputsFile) -> str:
    """SHA-256 of the file, 64 hex digits."""
    return sha256_of(outputs.path)


def read_outputs(path: Path, model: str | None = None) -> OutputsFile:
    """A user's file: JSON Lines with id and output, or AlpacaEval's list (instruction, output, generator).

    `model` None takes the name that the rows give, else the file's stem.
    Raises SuiteError when the file cannot be read or its rows name different models.
    """
    rows = list(read_rows(path))
    if not rows:
        raise SuiteError("holds no outputs", where=str(path))
    names = {str(name) for _, row in rows if (name := row.get("model") or row.get("generator"))}
    if model is None and len(names) > 1:
        raise SuiteError(
            f"holds outputs of several models ({', '.join(sorted(names)[:_NAMED])})",
            where=str(path),
            next_step="Split it: one file a model.",
        )
    return OutputsFile(path, model or (names.pop() if names else path.stem))


def match_outputs(
    outputs: OutputsFile,
    items: Sequence[Instruction],
    universe: Sequence[Instruction] | None = None,
    report: Report = stop,
) -> dict[str, Completion]:
    """The completion of each of `items`, by id.

    Rows are joined on their id, else on their instruction and input (white space at the ends aside; the
    input may also stand behind the instruction after an empty line, as AlpacaEval writes it). Rows for other
    items of `universe` (default: `items`) are passed over, and so is a whole `dataset` of AlpacaEval's list of
    which no row fits. Anything else is reported by its name: an unknown id, an id that stands twice, texts that
    two items share, an item without a row (the first ten).
    """
    known = {item.id for item in universe or items}
    by_text: dict[str, list[str]] = {}
    for item in universe or items:
        by_text.setdefault(_request(item.instruction, item.input), []).append(item.id)
    found: dict[str, Completion] = {}
    unknown: list[tuple[str | None, str]] = []
    sets: set[str | None] = {None}
    for where, row in read_rows(outputs.path, report):
        name = cell(row, outputs.columns.id) if outputs.columns.id else None
        try:
            if name is None:
                name = _id_by_text(where, row, outputs.columns, by_text)
            output = cell(row, outputs.columns.output)
            if not isinstance(output, str):
                raise SuiteError(f"{outputs.columns.output!r} is missing or not text", where=where)
        except SuiteError as slip:
            report(slip)
            continue
        dataset = _dataset(row)
        if name is None or str(name) not in known:
            unknown.append((dataset, str(name) if name is not None else where))
            continue
        sets.add(dataset)
        if str(name) in found:
            report(SuiteError(f"the id {name!r} stands twice", where=where, next_step="Keep one output an id."))
        found[str(name)] = Completion(str(name), output, outputs.model)
    strangers = [name for dataset, name in unknown if dataset in sets or len(sets) == 1]
    _refuse(outputs, "outputs for items that the scenario does not have", strangers, report)
    _refuse(outputs, "no output for", [item.id for item in items if item.id not in found], report)
    return {item.id: found[item.id] for item in items if item.id in found}


def _dataset(row: Mapping[str, Any]) -> str | None:
    """Which of its five sets a row of AlpacaEval's list belongs to; None for rows of another form."""
    dataset = row.get("dataset")
    return dataset if isinstance(dataset, str) and "generator" in row else None


def _id_by_text(
    where: str, row: Mapping[str, Any], columns: OutputColumns, by_text: Mapping[str, list[str]]
) -> str | None:
    instruction, input = (cell(row, column) if column else None for column in (columns.instruction, columns.input))
    ids = by_text.get(_request(instruction, input), [])
    if len(ids) > 1:
        raise SuiteError(
            f"fits several items by its texts ({', '.join(ids[:_NAMED])})",
            where=where,
            next_step="Give each output the id of its item.",
        )
    return ids[0] if ids else None


def _request(instruction: object, input: object) -> str:
    return chat_message(str(instruction or "").strip(), str(input or "").strip())


def _refuse(outputs: OutputsFile, what: str, ids: list[str], report: Report) -> None:
    if not ids:
        return
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    report(
        SuiteError(
            f"{what}: {', '.join(ids[:_NAMED])}{more}",
            where=str(outputs.path),
            next_step="Both files must cover the same ids; outputs are joined on id, never on position.",
        )
    )
