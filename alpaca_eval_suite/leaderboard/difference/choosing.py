"""Which two runs of two entries are laid side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.leaderboard.board import row_key
from alpaca_eval_suite.leaderboard.cells import plain
from alpaca_eval_suite.leaderboard.choice import unknown_name
from alpaca_eval_suite.leaderboard.difference.sides import Side, joined, side_of
from alpaca_eval_suite.leaderboard.entry import read_entry
from alpaca_eval_suite.leaderboard.rows import Row, title_of

_LISTED = 10


@dataclass(frozen=True)
class Choice:
    """Which runs of the two entries: a name is asked only of an entry that has it.

    `run` and `published_run` are keys of runs (board.row_key), for where names do not tell.
    """

    scenario: str | None = None
    judge: str | None = None
    baseline: str | None = None
    run: str | None = None
    published_run: str | None = None


def read_sides(mine: Path, published: Path, choice: Choice) -> tuple[Side, Side]:
    """The runs of the two entries that belong together: those that have most in common.

    Raises SuiteError for a file that is no entry, UsageError for a name that is unknown, where no two runs have the
    same kind of rate, and where several pairs have as much in common.
    """
    first, second = _rows(mine, choice.run), _rows(published, choice.published_run)
    _check_names(first, second, choice)
    first, second = (_named(rows, choice) for rows in (first, second))
    a, b = _most_alike(first, second, mine, published)
    return joined(side_of(mine, a), side_of(published, b))


def _rows(path: Path, key: str | None) -> list[Row]:
    entry = read_entry(path)
    rows = [Row(entry.identity, run) for run in entry.runs]
    if key is not None:
        chosen = [row for row in rows if row_key(row) == key]
        if not chosen:
            raise UsageError(f"no run has the key {key!r}", where=str(path), next_step=_these(rows))
        return chosen
    return rows


def _judge(row: Row) -> str | None:
    return row.run.judge.name if row.run.judge else None


def _baseline(row: Row) -> str | None:
    return row.run.baseline.name if row.run.baseline else None


def _filters(choice: Choice) -> list[tuple[str, str | None, Callable[[Row], str | None]]]:
    return [
        ("scenario", choice.scenario, lambda row: row.run.scenario.name),
        ("judge", choice.judge, _judge),
        ("baseline", choice.baseline, _baseline),
    ]


def _check_names(first: Sequence[Row], second: Sequence[Row], choice: Choice) -> None:
    for what, wanted, name_of in _filters(choice):
        names = [name for row in [*first, *second] if (name := name_of(row)) is not None]
        if wanted is not None and wanted not in names:
            raise unknown_name(what, wanted, names)


def _named(rows: Sequence[Row], choice: Choice) -> list[Row]:
    """The rows of the names asked for; all, where an entry has none of that name: the other entry's is meant."""
    left = list(rows)
    for _, wanted, name_of in _filters(choice):
        left = [row for row in left if name_of(row) == wanted] or left
    return left


def _most_alike(first: Sequence[Row], second: Sequence[Row], mine: Path, published: Path) -> tuple[Row, Row]:
    same_file = mine.resolve() == published.resolve()
    pairs = [
        (a, b)
        for a in first
        for b in second
        if a.kind.headline == b.kind.headline and _has_rate(a) and _has_rate(b)
        if not (same_file and row_key(a) == row_key(b))
    ]
    if not pairs:
        raise UsageError(
            "the two entries have no two runs with the same kind of rate",
            where=f"{mine} and {published}",
            next_step=f"The first has: {_these(first)} The second has: {_these(second)}",
        )
    best = max(_alike(a, b) for a, b in pairs)
    alike = [(a, b) for a, b in pairs if _alike(a, b) == best]
    if len(alike) > 1:
        raise UsageError(
            f"{len(alike)} pairs of runs have as much in common",
            where=f"{mine} and {published}",
            next_step="Narrow it down with --scenario, --judge or --baseline, or name the runs with --run and "
            f"--published-run. The first has: {_these(first)} The second has: {_these(second)}",
        )
    return alike[0]


def _has_rate(row: Row) -> bool:
    return row.headline is not None and row.headline.value is not None


def _alike(a: Row, b: Row) -> tuple[bool, ...]:
    """What the two have in common, the weightiest first."""
    x, y = a.run, b.run
    return (
        x.scenario.name == y.scenario.name,
        x.scenario.sha256 == y.scenario.sha256,
        _baseline(a) == _baseline(b),
        _judge(a) == _judge(b),
        x.prompt == y.prompt,
        x.scenario.n_items == y.scenario.n_items,
    )


def _these(rows: Sequence[Row]) -> str:
    listed = [
        f"{row_key(row)} ({title_of(row.run)}, {row.run.scenario.n_items} items, {plain(row.run.date)})"
        for row in rows[:_LISTED]
    ]
    more = f" and {len(rows) - _LISTED} more" if len(rows) > _LISTED else ""
    return f"{'; '.join(listed)}{more}."
