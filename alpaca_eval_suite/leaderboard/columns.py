"""Boards as the columns of tables for people, one table a kind of scenario, in plain text. Pure functions.

A rate stands with its interval, n and failures; a judge with its agreement or the words "not calibrated";
what a judge without information said is not printed. Rows that cannot be compared are marked and named in
a note.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from alpaca_eval_suite.leaderboard.board import LENGTH_CONTROLLED, Board, BoardRow
from alpaca_eval_suite.leaderboard.cells import EMPTY, FLAG, plain, rate_text
from alpaca_eval_suite.leaderboard.notes import SHORT_HASH, notes_of, of_boards
from alpaca_eval_suite.leaderboard.probe_rates import PROBES
from alpaca_eval_suite.leaderboard.record import RateRecord
from alpaca_eval_suite.leaderboard.rows import WIN_RATE
from alpaca_eval_suite.leaderboard.sheet import NO_INFORMATION

NUMBER = "Row"
MODEL = "Model"
_LABELS = {"first_shown": "First shown wins", LENGTH_CONTROLLED: "Length-controlled"}

Place = tuple[Board, BoardRow]


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
    """The rows of one kind of scenario. `groups` holds the numbers, from 0, of the rows of each board; `notes` name
    rows by the numbers of the first column."""

    title: str
    columns: tuple[Column, ...]
    groups: tuple[range, ...]
    notes: tuple[str, ...]


def tables_of(boards: Iterable[Board]) -> list[Table]:
    """A table for each kind of scenario, the boards in the order given."""
    return [_table(list(of)) for _, of in groupby(boards, key=lambda board: board.metric)]


def _table(boards: Sequence[Board]) -> Table:
    kind = boards[0].kind
    places: list[Place] = [(board, row) for board in boards for row in board.rows]
    shown_as = _GroupNames(boards)

    def column(
        header: str, cell_of: Callable[[Place], str], *, is_number: bool = True, of_group: bool = False
    ) -> Column:
        return Column(header, tuple(cell_of(place) or EMPTY for place in places), is_number, of_group)

    headline = f"{label(kind.headline)} %"
    columns = [
        Column(NUMBER, tuple(str(number) for number in range(1, len(places) + 1)), True),
        column(MODEL, lambda place: place[1].model, is_number=False),
        column("Scenario", lambda place: shown_as.scenario(place[0]), is_number=False, of_group=True),
        column("Baseline", lambda place: shown_as.baseline(place[0]), is_number=False, of_group=True),
        column("Judge", lambda place: shown_as.judge(place[0]), is_number=False, of_group=True),
        column("Prompt", lambda place: plain(place[1].row.run.prompt.format), is_number=False),
        column(headline, lambda place: _headline(place[1])),
        column("Rank", lambda place: rank_text(place[1])),
        column("n", lambda place: str(of.n) if (of := place[1].row.headline) else ""),
        column("Failed", lambda place: str(of.n_failed) if (of := place[1].row.headline) else ""),
        column("Length-controlled %", lambda place: _with_counts(place[1].length_controlled, place[1])),
        *(column(f"{label(name)} %", _rate_cell(name)) for name in kind.rates),
        *(column(f"{label(name)}, points", _difference_cell(name)) for name in kind.differences),
        column("Mean length", lambda place: _length(place[1])),
        *(_probe_column(name, places) for name in PROBES if kind.headline == WIN_RATE),
        column("Guards", lambda place: plain(", ".join(place[1].guards)), is_number=False),
        column("Self-judged", lambda place: plain(place[1].self_judged or ""), is_number=False),
        column("Cost, USD", lambda place: _cost(place[1].cost_usd)),
    ]
    always = {MODEL, "Scenario", headline, "n", "Failed"}
    shown = [_flagged(column, places) for column in columns if column.header in always or set(column.cells) != {EMPTY}]
    notes = [*notes_of([row.row for _, row in places]), *of_boards(boards)]
    return Table(kind.title, tuple(shown), _ranges(boards), tuple(notes))


def label(name: str) -> str:
    """A rate's name as a heading."""
    return _LABELS.get(name, plain(name.replace("_", " ")).capitalize())


def rank_text(row: BoardRow) -> str:
    """The rank with the ranks that the data allow: "2 [1, 4]"; empty where there is none."""
    return f"{row.rank.rank} [{row.rank.low}, {row.rank.high}]" if row.rank else ""


class _GroupNames:
    """The boards' scenarios, baselines and judges by name, with a hash where one name stands for several."""

    def __init__(self, boards: Sequence[Board]) -> None:
        self._data = _hashes((board.scenario, board.sha256) for board in boards)
        self._outputs = _hashes(((board.scenario, board.baseline), board.baseline_sha256) for board in boards)
        self._judges = _hashes(((board.scenario, board.judge), board.judge_hash) for board in boards)

    def scenario(self, board: Board) -> str:
        name = plain(board.scenario)
        if board.of_slice:
            name += f", {plain(board.of_slice[0])} {plain(board.of_slice[1])}"
        return name + _tag("data", board.sha256, self._data[board.scenario])

    def baseline(self, board: Board) -> str:
        if board.baseline is None:
            return ""
        found = self._outputs[board.scenario, board.baseline]
        return plain(board.baseline) + _tag("outputs", board.baseline_sha256, found)

    def judge(self, board: Board) -> str:
        if board.judge is None:
            return ""
        found = self._judges[board.scenario, board.judge]
        return f"{plain(board.judge)}{_tag('judge', board.judge_hash, found)} ({board.judge_sentence})"


def _hashes(pairs: Iterable[tuple[object, str | None]]) -> Mapping[object, set[str | None]]:
    found: dict[object, set[str | None]] = defaultdict(set)
    for name, digest in pairs:
        found[name].add(digest)
    return found


def _tag(what: str, digest: str | None, found: set[str | None]) -> str:
    return f" ({what} {digest[:SHORT_HASH]})" if digest and len(found) > 1 else ""


def _ranges(boards: Sequence[Board]) -> tuple[range, ...]:
    ranges, start = [], 0
    for board in boards:
        ranges.append(range(start, start + len(board.rows)))
        start += len(board.rows)
    return tuple(ranges)


def _flagged(column: Column, places: Sequence[Place]) -> Column:
    """The column, each number of a row whose prompt is not that of the training marked."""
    if not column.is_number or column.header == NUMBER:
        return column
    cells = [
        f"{cell} {FLAG}" if row.row.run.prompt.mismatch and cell != EMPTY else cell
        for cell, (_, row) in zip(column.cells, places, strict=True)
    ]
    return replace(column, cells=tuple(cells))


def _probe_column(name: str, places: Sequence[Place]) -> Column:
    cells = [_with_counts(probe.found, row) if (probe := row.probes.get(name)) else EMPTY for _, row in places]
    return Column(f"{PROBES[name].label} %", tuple(cells), True)


def _rate_cell(name: str) -> Callable[[Place], str]:
    return lambda place: _with_counts(place[1].row.run.rates.get(name), place[1])


def _difference_cell(name: str) -> Callable[[Place], str]:
    return lambda place: rate_text(place[1].row.run.differences.get(name))


def _with_counts(rate: RateRecord | None, row: BoardRow) -> str:
    """The rate's text; its n and failures too where they are not those of the row."""
    text, headline = rate_text(rate), row.row.headline
    if rate is None or (headline and (headline.n, headline.n_failed) == (rate.n, rate.n_failed)):
        return text
    return f"{text} (n {rate.n}, failed {rate.n_failed})"


def _headline(row: BoardRow) -> str:
    if row.no_information:
        return NO_INFORMATION
    if row.rate is None:
        return "not judged" if row.row.kind.headline == WIN_RATE else EMPTY
    return rate_text(row.rate)


def _length(row: BoardRow) -> str:
    own, baseline = row.mean_length, row.mean_length_baseline
    if own is None:
        return EMPTY
    return f"{own:.0f}" if baseline is None else f"{own:.0f} (baseline {baseline:.0f})"


def _cost(usd: float | None) -> str:
    return "" if usd is None else f"{usd:.2f}" if usd >= 0.01 or usd == 0 else f"{usd:.2g}"
