"""Which rows a table is to show: by scenario, slice, judge and baseline; a name that is not there is answered with
the nearest ones."""

import difflib
from collections.abc import Callable, Iterable, Sequence

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.leaderboard.cells import plain
from alpaca_eval_suite.leaderboard.entry import Entry
from alpaca_eval_suite.leaderboard.rows import Row

APP = "app"
"""The slice that --app names: which application an instruction is for."""

_LISTED = 20


def choose(
    entries: Iterable[Entry],
    *,
    scenario: str | None = None,
    app: str | None = None,
    judge: str | None = None,
    baseline: str | None = None,
) -> list[Row]:
    """The rows of the runs that fit, in no particular order; of `app` with the rates of that slice alone.

    Raises UsageError for a name that none of the entries (or none of those left by the filters before it) has.
    """
    rows = [Row(entry.identity, run) for entry in entries for run in entry.runs]
    rows = _with(rows, "scenario", scenario, lambda row: row.run.scenario.name)
    rows = _with(rows, "judge", judge, lambda row: row.run.judge.name if row.run.judge else None)
    rows = _with(rows, "baseline", baseline, lambda row: row.run.baseline.name if row.run.baseline else None)
    return rows if app is None else _of_app(rows, app)


def unknown_name(what: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not among the known ones, with the nearest and the list."""
    names = sorted(set(known))
    in_lower_case = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), in_lower_case, n=1)
    hint = f"Did you mean {plain(in_lower_case[near[0]])!r}? " if near else ""
    listed = ", ".join(plain(name) for name in names[:_LISTED])
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    article = "an" if what[0] in "aeiou" else "a"
    return UsageError(
        f"no entry has {article} {what} {name!r}", next_step=f"{hint}There are: {listed or 'none'}{more}."
    )


def _with(rows: Sequence[Row], what: str, wanted: str | None, name_of: Callable[[Row], str | None]) -> list[Row]:
    if wanted is None:
        return list(rows)
    chosen = [row for row in rows if name_of(row) == wanted]
    if not chosen:
        raise unknown_name(what, wanted, (name for row in rows if (name := name_of(row)) is not None))
    return chosen


def _of_app(rows: Sequence[Row], app: str) -> list[Row]:
    """The rows with the rates of the slice in place of the whole run's; differences and lengths are not of slices."""
    chosen = []
    for row in rows:
        rates = row.run.slices.get(APP, {}).get(app)
        if rates is not None:
            of_slice = {"rates": rates, "differences": {}, "numbers": {}, "win_rate": None, "length_controlled": None}
            chosen.append(Row(row.identity, row.run.model_copy(update=of_slice)))
    if not chosen:
        raise unknown_name("app", app, (value for row in rows for value in row.run.slices.get(APP, {})))
    return chosen
