"""Entries as tables that people read: in Markdown, and on a terminal."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.leaderboard.cells import markdown_cell
from alpaca_eval_suite.leaderboard.columns import Column, Table, tables_of
from alpaca_eval_suite.leaderboard.entry import Entry, read_entries

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType

WIDE = 132
"""From this many columns on a row of the table is a line of a terminal; below, it is a block of lines."""


def to_markdown(entries: Iterable[Entry]) -> str:
    """The tables in GitHub's Markdown; whatever a name holds, it is shown as text."""
    return "\n".join(_markdown(table) for table in tables_of(entries))


def to_rich(entries: Iterable[Entry], *, width: int = WIDE) -> "Group":
    """The tables for a terminal of `width` columns.

    Names are taken as text, never as rich's markup; control codes were taken out of them before.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    for table in tables_of(entries):
        parts.append(Text(table.title, style="bold"))
        for rows in _groups(table):
            parts.append(Text())
            parts += [Text(f"{column.header}: {column.cells[rows[0]]}") for column in table.columns if column.of_group]
            columns = [column for column in table.columns if not column.of_group]
            parts += [_wide(columns, rows)] if width >= WIDE else _blocks(columns, rows)
        parts += [Text(), *(Text(note, style="dim") for note in table.notes), Text()]
    return Group(*parts)


def show(results: Path, console: "Console", scenario: str | None = None) -> None:
    """Print the entries of the folder `results` (or their rows of `scenario`). For errors see `load`."""
    console.print(to_rich(load(results, scenario), width=console.width))


def load(results: Path, scenario: str | None = None) -> list[Entry]:
    """The entries of the folder `results`, with the runs of `scenario` alone where it is given.

    Raises SuiteError when there are none or one cannot be read, UsageError for a scenario that none has.
    """
    entries = list(read_entries(results).values())
    if not entries:
        raise SuiteError(
            "holds no entries",
            where=str(results),
            next_step="Make them first: alpaca-suite leaderboard build.",
        )
    if scenario is None:
        return entries
    known = sorted({run.scenario.name for entry in entries for run in entry.runs})
    if scenario not in known:
        raise UsageError(f"no entry has a scenario {scenario!r}", next_step=f"There are: {', '.join(known)}.")
    chosen = [
        entry.model_copy(update={"runs": tuple(run for run in entry.runs if run.scenario.name == scenario)})
        for entry in entries
    ]
    return [entry for entry in chosen if entry.runs]


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


def _groups(table: Table) -> list[list[int]]:
    """The numbers of the rows that have scenario, baseline and judge in common; these lie together."""
    shared = [column.cells for column in table.columns if column.of_group]
    numbers = range(len(table.columns[0].cells))
    return [list(rows) for _, rows in groupby(numbers, key=lambda row: [cells[row] for cells in shared])]


def _wide(columns: Sequence[Column], rows: Sequence[int]) -> "RenderableType":
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        # Numbers are never broken: a model's name gives way.
        shown.add_column(Text(column.header), overflow="fold", no_wrap=False, min_width=_min_width(column, rows))
    for row in rows:
        shown.add_row(*(Text(_broken(column, row)) for column in columns))
    return shown


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


def _min_width(column: Column, rows: Sequence[int]) -> int | None:
    if not column.is_number:
        return None
    return max(len(line) for row in rows for line in _broken(column, row).split("\n"))
