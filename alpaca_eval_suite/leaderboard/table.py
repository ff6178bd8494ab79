"""Boards as tables that people read: in Markdown, and on a terminal."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.leaderboard.board import Board, board_of
from alpaca_eval_suite.leaderboard.cells import markdown_cell
from alpaca_eval_suite.leaderboard.columns import MODEL, NUMBER, Column, Table, tables_of
from alpaca_eval_suite.leaderboard.entry import Entry, read_entries

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType

WIDE = 132
"""From this many columns on a row of the table is a line of a terminal; below, it is a block of lines."""

_FEW = 5  # rows: more of them are lines in any case, with the columns that there is room for
_LEAST = 18  # columns of a terminal for a text that may be broken


def load(results: Path) -> list[Entry]:
    """The entries of the folder `results`. Raises SuiteError when there are none or one cannot be read."""
    entries = list(read_entries(results).values())
    if not entries:
        raise SuiteError(
            "holds no entries",
            where=str(results),
            next_step="Make them first: alpaca-suite leaderboard build.",
        )
    return entries


def show(results: Path, console: "Console", scenario: str | None = None) -> None:
    """Print the boards of the folder `results` (or those of `scenario`). For errors see `load` and `board_of`."""
    boards = board_of(load(results), results, scenario=scenario)
    console.print(to_rich(boards, width=console.width))


def to_markdown(boards: Iterable[Board]) -> str:
    """The tables in GitHub's Markdown; whatever a name holds, it is shown as text."""
    return "\n".join(_markdown(table) for table in tables_of(boards))


def to_rich(boards: Iterable[Board], *, width: int = WIDE) -> "Group":
    """The tables for a terminal of `width` columns.

    Names are taken as text, never as rich's markup; control codes were taken out of them before. Where not all
    columns have room, those that are left out are named.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    for table in tables_of(boards):
        parts.append(Text(table.title, style="bold"))
        for rows in table.groups:
            parts.append(Text())
            parts += [Text(f"{column.header}: {column.cells[rows[0]]}") for column in table.columns if column.of_group]
            columns = [column for column in table.columns if not column.of_group]
            fitting = _fitting(columns, rows, width)
            in_blocks = len(rows) <= _FEW and (width < WIDE or len(fitting) < len(columns))
            parts += _blocks(columns, rows) if in_blocks else _lines(columns, fitting, rows)
        parts += [Text(), *(Text(note, style="dim") for note in table.notes), Text()]
    return Group(*parts)


def _markdown(table: Table) -> str:
    cells = [
        column.cells if column.is_number else [markdown_cell(cell) for cell in column.cells] for column in table.columns
    ]
    lines = [
        f"## {markdown_cell(table.title)}",
        "",
        _line(markdown_cell(column.header) for column in table.columns),
        _line("---:" if column.is_number else "---" for column in table.columns),
        *(_line(row) for row in zip(*cells, strict=True)),
        "",
        *(f"- {markdown_cell(note)}" for note in table.notes),
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _lines(columns: Sequence[Column], fitting: Sequence[Column], rows: Sequence[int]) -> "list[RenderableType]":
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    for column in fitting:
        # Numbers are never broken: a model's name gives way.
        shown.add_column(Text(column.header), overflow="fold", min_width=_width(column, rows))
    for row in rows:
        shown.add_row(*(Text(_broken(column, row)) for column in fitting))
    left_out = [column.header for column in columns if column not in fitting]
    if not left_out:
        return [shown]
    said = f"Not shown for want of width: {', '.join(left_out)}. With --format markdown, csv or json everything is."
    return [shown, Text(said, style="dim")]


def _fitting(columns: Sequence[Column], rows: Sequence[int], width: int) -> list[Column]:
    """The columns, from the left, that have room; the number of the row and the model always do."""
    fitting, room = [], width
    for column in columns:
        room -= 2 + _width(column, rows)
        if room >= 0 or column.header in (NUMBER, MODEL):
            fitting.append(column)
    return fitting


def _blocks(columns: Sequence[Column], rows: Sequence[int]) -> "list[RenderableType]":
    from rich.padding import Padding
    from rich.table import Table as RichTable
    from rich.text import Text

    blocks: list[RenderableType] = []
    for row in rows:
        block = RichTable.grid(padding=(0, 2, 0, 0))
        for column in columns:
            block.add_row(Text(column.header), Text(column.cells[row], overflow="fold"))
        blocks.append(Padding(block, (1, 0, 0, 2)))
    return blocks


def _broken(column: Column, row: int) -> str:
    """The cell, with interval and counts on lines of their own, which keeps the table narrow."""
    cell = column.cells[row]
    return cell.replace(" [", "\n[").replace(" (", "\n(") if column.is_number else cell


def _width(column: Column, rows: Sequence[int]) -> int:
    """What the column takes at least; a heading is broken between its words."""
    words = max(len(word) for word in column.header.split())
    cells = max(len(line) for row in rows for line in _broken(column, row).split("\n"))
    return max(words, cells if column.is_number else min(cells, _LEAST))
