"""Entries as the columns of tables for people, one table a kind of scenario, in plain text. Pure functions.

A rate stands with its interval, n and failures; a judge with its agreement or the words "not calibrated";
what a judge without information said is not printed. Rows that cannot be compared are marked and named in
a note.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from alpaca_eval_suite.leaderboard.cells import EMPTY, FLAG, plain, rate_text
from alpaca_eval_suite.leaderboard.entry import Entry
from alpaca_eval_suite.leaderboard.notes import SHORT_HASH, notes_of, scenarios_with_different_data
from alpaca_eval_suite.leaderboard.rows import WIN_RATE, Row, rows_of
from alpaca_eval_suite.leaderboard.sheet import NO_INFORMATION

_NUMBER = "Row"
_LABELS = {"first_shown": "First shown wins"}


@dataclass(frozen=True)
class Column:
    """One column: its cells are plain text, not yet made safe for any format.

    `is_number`: rates, counts and lengths, which hold nothing that a user wrote. `of_group`: what rows that
    are compared with each other have in common (scenario, baseline, judge).
    """

    header: str
    cells: tuple[str, ...]
    is_number: bool = False
    of_group: bool = False


@dataclass(frozen=True)
class Table:
    """The rows of one kind of scenario. `notes` name rows by the numbers of the first column."""

    title: str
    columns: tuple[Column, ...]
    notes: tuple[str, ...]


def tables_of(entries: Iterable[Entry]) -> list[Table]:
    """A table for each kind of scenario that was run."""
    grouped = groupby(rows_of(entries), key=lambda row: row.run.scenario.metric)
    return [_table(list(rows)) for _, rows in grouped]


def _table(rows: Sequence[Row]) -> Table:
    kind = rows[0].kind
    different = scenarios_with_different_data(rows)

    def column(
        header: str, cell_of: Callable[[Row], str], *, is_number: bool = False, of_group: bool = False
    ) -> Column:
        return Column(header, tuple(cell_of(row) or EMPTY for row in rows), is_number, of_group)

    columns = [
        Column(_NUMBER, tuple(str(number) for number in range(1, len(rows) + 1)), True),
        column("Model", lambda row: row.model),
        column("Scenario", lambda row: _scenario(row, different), of_group=True),
        column("Baseline", lambda row: plain(row.run.baseline.name) if row.run.baseline else "", of_group=True),
        column("Judge", lambda row: row.judge, of_group=True),
        column("Prompt", lambda row: plain(row.run.prompt.format)),
        column(f"{_label(kind.headline)} %", _headline, is_number=True),
        column("n", lambda row: str(row.headline.n) if row.headline else "", is_number=True),
        column("Failed", lambda row: str(row.headline.n_failed) if row.headline else "", is_number=True),
        *(_rate_column(name, rows) for name in kind.rates),
        *(_difference_column(name, rows) for name in kind.differences),
        column("Mean length", _length, is_number=True),
    ]
    always = {"Model", "Scenario", f"{_label(kind.headline)} %", "n", "Failed"}
    shown = [_flagged(column, rows) for column in columns if column.header in always or set(column.cells) != {EMPTY}]
    return Table(kind.title, tuple(shown), tuple(notes_of(rows)))


def _flagged(column: Column, rows: Sequence[Row]) -> Column:
    """The column, each number of a row whose prompt is not that of the training marked."""
    if not column.is_number or column.header == _NUMBER:
        return column
    cells = [
        f"{cell} {FLAG}" if row.run.prompt.mismatch and cell != EMPTY else cell
        for cell, row in zip(column.cells, rows, strict=True)
    ]
    return replace(column, cells=tuple(cells))


def _rate_column(name: str, rows: Sequence[Row]) -> Column:
    return Column(f"{_label(name)} %", tuple(_rate(row, name) for row in rows), True)


def _difference_column(name: str, rows: Sequence[Row]) -> Column:
    cells = [rate_text(row.run.differences.get(name)) for row in rows]
    return Column(f"{_label(name)}, points", tuple(cells), True)


def _rate(row: Row, name: str) -> str:
    """The rate's text; its n and failures too where they are not those of the row."""
    rate, headline = row.run.rates.get(name), row.headline
    text = rate_text(rate)
    if rate is None or (headline and (headline.n, headline.n_failed) == (rate.n, rate.n_failed)):
        return text
    return f"{text} (n {rate.n}, failed {rate.n_failed})"


def _headline(row: Row) -> str:
    if row.headline is None:
        return "not judged" if row.kind.headline == WIN_RATE else EMPTY
    return NO_INFORMATION if row.uninformative and row.kind.headline == WIN_RATE else rate_text(row.headline)


def _scenario(row: Row, different: set[str]) -> str:
    name = plain(row.run.scenario.name)
    return f"{name} (data {row.run.scenario.sha256[:SHORT_HASH]})" if row.run.scenario.name in different else name


def _length(row: Row) -> str:
    own, baseline = (row.run.numbers.get(name) for name in ("mean_length", "mean_length_baseline"))
    if own is None:
        return EMPTY
    return f"{own:.0f}" if baseline is None else f"{own:.0f} (baseline {baseline:.0f})"


def _label(name: str) -> str:
    return _LABELS.get(name, plain(name.replace("_", " ")).capitalize())
