"""From the rows of a scenario's data file to instructions."""

import json
from collections.abc import Callable
from typing import Any

from alpaca_eval_suite.cards.card import Card, Columns
from alpaca_eval_suite.cards.data import find_data
from alpaca_eval_suite.cards.turns import conversation
from alpaca_eval_suite.errors import Report, SuiteError, stop
from alpaca_eval_suite.files import read_rows, sha256_of, sha256_text
from alpaca_eval_suite.prompts import instruction_id
from alpaca_eval_suite.types import Instruction, Turn

_MISSING = object()
_COLUMNS = 'Add it, or name the right column under "columns" in card.yaml.'


def load_instructions(card: Card, report: Report = stop) -> list[Instruction]:
    """The scenario's items in the order of its file.

    Reported: a row that lacks a column, a text that is empty or not text, an id that stands twice (each with its
    row); a column that the card names and no row has; a file without rows. The items that are left are returned.
    """
    path = find_data(card.data, card.folder)
    items: dict[str, Instruction] = {}
    unseen = {
        column
        for name in ("input", "reference")
        if name in card.columns.model_fields_set and (column := getattr(card.columns, name)) is not None
    }
    any_row = False
    for where, row in read_rows(path, report):
        any_row = True
        unseen -= {column for column in unseen if _dig(row, column) is not _MISSING}
        item = _instruction(where, row, card.columns, report)
        if item is None:
            continue
        if item.id in items:
            report(SuiteError(f"the id {item.id!r} stands twice", where=where, next_step="Make the ids unique."))
        items.setdefault(item.id, item)
    if not any_row:
        report(SuiteError("holds no rows", where=str(path), next_step="Give the scenario at least one item."))
    elif unseen:
        # A row may lack its input, but a column that no row has is a slip: all inputs would be empty.
        names = ", ".join(sorted(map(repr, unseen)))
        report(SuiteError(f"no row has {names}", where=str(path), next_step=_COLUMNS))
    return list(items.values())


def scenario_hash(card: Card) -> str:
    """64 hex digits over the data's content and how its columns are read: equal for comparable results."""
    # A key that came later plays no part where it is not used: results of before stay comparable.
    unused = {"messages"} if card.columns.messages is None else None
    columns = json.dumps(card.columns.model_dump(exclude=unused), sort_keys=True)
    return sha256_text(f"{sha256_of(find_data(card.data, card.folder))}\n{card.metric}\n{columns}")


def cell(row: Any, column: str) -> Any:
    """What stands in `row` under the dotted path `column`, or None where the path ends early."""
    value = _dig(row, column)
    return None if value is _MISSING else value


def _dig(row: Any, column: str) -> Any:
    if isinstance(row, dict) and column in row:
        return row[column]
    value = row
    for part in column.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _MISSING
    return value


def _instruction(where: str, row: dict[str, Any], columns: Columns, report: Report) -> Instruction | None:
    """The item of a row; None when something in it was reported."""
    slips: list[SuiteError] = []

    def read(value_of: Callable[..., Any], column: str | None) -> Any:
        try:
            return value_of(where, row, column)
        except SuiteError as slip:
            slips.append(slip)
            return None

    earlier: tuple[Turn, ...] = ()
    if columns.messages is None:
        instruction = read(_text, columns.instruction)
        input = read(_optional_text, columns.input) or ""
    else:
        earlier, instruction = read(_conversation, columns.messages) or ((), "")
        input = ""
    item = Instruction(
        id=instruction_id(instruction or "", input) if columns.id is None else read(_text, columns.id),
        instruction=instruction,
        input=input,
        reference=read(_optional_text, columns.reference),
        slices={name: read(_label, column) for name, column in columns.slices.items()},
        key={name: read(_required, column) for name, column in columns.key.items()},
        earlier=earlier,
    )
    for slip in slips:
        report(slip)
    return None if slips else item


def _conversation(where: str, row: dict[str, Any], column: str) -> tuple[tuple[Turn, ...], str]:
    return conversation(where, column, _required(where, row, column))


def _required(where: str, row: dict[str, Any], column: str) -> Any:
    value = _dig(row, column)
    if value is _MISSING:
        raise SuiteError(f"has no {column!r}", where=where, next_step=_COLUMNS)
    return value


def _text(where: str, row: dict[str, Any], column: str) -> str:
    value = _required(where, row, column)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise SuiteError(f"{column!r} is empty or not text", where=where, next_step="Fill it in or drop the row.")
    return value


def _label(where: str, row: dict[str, Any], column: str) -> str:
    value = _required(where, row, column)
    if not isinstance(value, str | int | float):
        what = f"{column!r} is neither text nor a number"
        raise SuiteError(what, where=where, next_step="A slice needs one value a row.")
    return str(value)


def _optional_text(where: str, row: dict[str, Any], column: str | None) -> str | None:
    value = None if column is None else cell(row, column)
    if value is None or isinstance(value, str):
        return value
    raise SuiteError(f"{column!r} is not text", where=where, next_step="Put it in quotes.")
