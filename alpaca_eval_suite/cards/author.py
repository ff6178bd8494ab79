"""Makes a scenario of a user's own table: which column is what, the rows of data.jsonl, and the card.

    names = ColumnNames(instruction="question", answers="answer", slices={"topic": "topic"})
    rows = make_rows(read_table(path), names, "short_answer")
    card = make_card("quiz", names, rows, metric="short_answer", source="quiz.csv", licence="CC0-1.0")
    write_scenario(folder, card, rows)

Pure up to `write_scenario`; what a run would still find wrong is for evaluate/validate.py to say.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from alpaca_eval_suite.cards.card import CARD_FILE
from alpaca_eval_suite.cards.rows import cell
from alpaca_eval_suite.cards.table import Table
from alpaca_eval_suite.errors import Report, SuiteError, UsageError, stop
from alpaca_eval_suite.files import write_atomic

DATA_FILE = "data.jsonl"
AuthorMetric = Literal["preference", "short_answer"]
"""What a table can hold the key of; the other probes need cards written by hand."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_MAX_TOKENS: dict[AuthorMetric, int] = {"preference": 512, "short_answer": 48}
_BAR = "|"


@dataclass(frozen=True)
class ColumnNames:
    """Which column of the table is what. `id` and `input` None: the column of that name, where there is one.

    A dot leads into an object, as on a card. `slices` maps the slice's name, which holds no dot, to its column;
    several may take one column. `checks` is for `preference`, `answers` and `traps` are for `short_answer`.
    """

    instruction: str = "instruction"
    input: str | None = None
    id: str | None = None
    reference: str | None = None
    slices: dict[str, str] = field(default_factory=dict)
    checks: str | None = None
    answers: str | None = None
    traps: str | None = None

    def named(self) -> Iterator[tuple[str, str]]:
        """(option, column) of each column that the table must have."""
        for option in ("instruction", "input", "id", "reference", "checks", "answers", "traps"):
            if (column := getattr(self, option)) is not None:
                yield option, column
        yield from (("slice", column) for column in self.slices.values())


def check_names(table: Table, names: ColumnNames, metric: AuthorMetric, report: Report = stop) -> None:
    """Report a column that the table lacks; raises UsageError for options that do not fit the metric."""
    if metric == "short_answer" and names.answers is None:
        raise UsageError("the metric short_answer needs accepted answers", next_step="Give --answers COLUMN.")
    misplaced = {"preference": ("answers", "traps"), "short_answer": ("checks",)}[metric]
    for option in misplaced:
        if getattr(names, option) is not None:
            raise UsageError(f"--{option} has no meaning for the metric {metric}")
    listed = ", ".join(map(repr, table.columns)) or "none"
    for option, column in names.named():
        if column not in table.columns and all(cell(row, column) is None for _, row in table.rows):
            report(
                SuiteError(
                    f"there is no column {column!r} for --{option}",
                    next_step=f"Columns there are: {listed}. Name the right one with --{option}.",
                )
            )


def make_rows(table: Table, names: ColumnNames, metric: AuthorMetric, report: Report = stop) -> list[dict[str, Any]]:
    """The rows of data.jsonl: id, instruction and what else `names` maps, under names of ours.

    Without ids in the table an item's id is the number of its row, from 1, so that rows added at the end leave the
    others as they are. Reported: an empty instruction, id or answer, an id that stands twice, a cell of a wrong form.
    """
    id_column = names.id or ("id" if "id" in table.columns else None)
    input_column = names.input or ("input" if "input" in table.columns else None)
    readers: list[tuple[str, str | None, Callable[[Any], Any]]] = [
        ("id", id_column, _id),
        ("instruction", names.instruction, _text),
        ("input", input_column, _optional_text),
        ("reference", names.reference, _optional_text),
        ("checks", names.checks, _objects),
        ("answers", names.answers, _some_texts),
        ("traps", names.traps, _texts),
    ]
    rows: list[dict[str, Any]] = []
    first: dict[str, str] = {}
    for number, (where, cells) in enumerate(table.rows, 1):
        row: dict[str, Any] = {} if id_column else {"id": str(number)}
        for name, column, read in readers:
            if column is not None:
                _fill(row, name, cells, column, read, where, report)
        if names.slices:
            row["slices"] = {}
            for name, column in names.slices.items():
                _fill(row["slices"], name, cells, column, _label, where, report)
        if "id" in row and (other := first.setdefault(row["id"], where)) != where:
            what = f"the id {row['id']!r} stands twice (first at {other})"
            report(SuiteError(what, where=where, next_step="Make the ids unique, or name another column with --id."))
        rows.append(row)
    return rows


def _fill(
    row: dict[str, Any],
    name: str,
    cells: Any,
    column: str,
    read: Callable[[Any], Any],
    where: str,
    report: Report,
) -> None:
    try:
        row[name] = read(cell(cells, column))
    except ValueError as error:
        report(SuiteError(f"{column!r} {error}", where=where, next_step="Fill it in, or drop the row."))


def _text(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError("is empty" if value is None or isinstance(value, str) else "is not text")


def _id(value: Any) -> str:
    return _text(str(value) if isinstance(value, int) and not isinstance(value, bool) else value).strip()


def _optional_text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise ValueError("is not text")


def _label(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _text(value).strip()


def _texts(value: Any) -> list[Any]:
    """A JSON list as it is; a text is split at bars, a text of a JSON list is read as one."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _json(value)
    if value is None:
        return []
    if isinstance(value, str):
        return [part.strip() for part in value.split(_BAR) if part.strip()]
    if not isinstance(value, list):
        raise ValueError(f"is neither text nor a list (several answers are written {_BAR.join('abc')})")
    return value


def _some_texts(value: Any) -> list[Any]:
    if not (texts := _texts(value)):
        raise ValueError("is empty")
    return texts


def _objects(value: Any) -> Any:
    """Checks: a list of objects, or the text of one."""
    return _json(_text(value)) if isinstance(value, str) or value is None else value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not valid JSON ({error})") from error


def make_card(
    name: str,
    names: ColumnNames,
    rows: Sequence[dict[str, Any]],
    *,
    metric: AuthorMetric,
    source: str,
    licence: str,
) -> dict[str, Any]:
    """The content of card.yaml for `rows`. Raises UsageError for a name that no scenario can have."""
    check_name(name)
    some = {key for row in rows for key, value in row.items() if value}
    key = {column: column for column in ("checks", "answers", "traps") if getattr(names, column) is not None}
    columns: dict[str, Any] = {"input": "input" if "input" in some else None}
    if "reference" in some:
        columns["reference"] = "reference"
    if names.slices:
        columns["slices"] = {label: f"slices.{label}" for label in names.slices}
    if key:
        columns["key"] = key
    return {
        "name": name,
        "title": name,
        "description": f"{len(rows)} items from {source}",
        "source": source,
        "licence": licence,
        "metric": metric,
        "data": {"file": DATA_FILE},
        "columns": columns,
        "decoding": {"max_tokens": _MAX_TOKENS[metric]},
    }


def check_name(name: str) -> None:
    """Raise UsageError for a name that no scenario can have."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a scenario",
            next_step="It may hold letters, digits, '_', '.' and '-', and begins with a letter or digit.",
        )


def write_scenario(folder: Path, card: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Write card.yaml and data.jsonl into `folder`, the card last: a folder without one is no scenario.

    Raises UsageError when the folder holds a card already, SuiteError when it cannot be written.
    """
    import yaml

    if (folder / CARD_FILE).exists():
        raise UsageError(
            "is a scenario already", where=str(folder), next_step="Give another name or --out, or remove that folder."
        )
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomic(folder / DATA_FILE, data)
    write_atomic(folder / CARD_FILE, yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=120))
