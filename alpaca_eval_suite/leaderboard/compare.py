"""Models of one leaderboard against each other, paired by id, from their raw verdicts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.leaderboard.board import row_key
from alpaca_eval_suite.leaderboard.cells import plain
from alpaca_eval_suite.leaderboard.choice import APP, choose, unknown_name
from alpaca_eval_suite.leaderboard.entry import Entry
from alpaca_eval_suite.leaderboard.measured import Measured, measure
from alpaca_eval_suite.leaderboard.rows import Row, groups_of, title_of
from alpaca_eval_suite.stats.compare import PairOfModels, compare_all
from alpaca_eval_suite.stats.units import Units

_LISTED = 10


@dataclass(frozen=True)
class Comparison:
    """Every pair of the models on one scenario, in the order they were asked for; Holm's family is all of them.

    `title` names scenario, baseline and judge, `rate` what is compared.
    """

    title: str
    rate: str
    models: tuple[str, ...]
    pairs: tuple[PairOfModels, ...]

    def as_json(self) -> dict[str, Any]:
        """The public form; differences are fractions."""
        return {
            "title": self.title,
            "rate": self.rate,
            "models": list(self.models),
            "family": "holm",
            "comparisons": [pair.as_json() for pair in self.pairs],
        }

    def pair(self, a: str, b: str) -> PairOfModels | None:
        """The pair of these two in this order, None for the other order."""
        return next((pair for pair in self.pairs if (pair.a, pair.b) == (a, b)), None)


def compare_models(
    entries: Iterable[Entry],
    results: Path,
    names: Sequence[str],
    *,
    scenario: str | None = None,
    app: str | None = None,
    judge: str | None = None,
    baseline: str | None = None,
    shared_only: bool = False,
    seed: int = 0,
) -> list[Comparison]:
    """The models `names` on each scenario (with its data, baseline and judge) that all of them have.

    A name is a model's, as tables show it or without its fingerprint, or the key of a run (`row_key`). `shared_only`:
    ids that only some have are dropped, otherwise they are an error.
    Raises UsageError for a name that is unknown or fits several runs, SuiteError when the models have nothing in
    common, or the raw verdicts of one are missing.
    """
    if len(set(names)) < max(2, len(names)):
        raise UsageError("two different models or more are needed", next_step="Name each model once.")
    rows = choose(entries, scenario=scenario, app=app, judge=judge, baseline=baseline)
    for name in names:
        if not any(_is(row, name) for row in rows):
            raise unknown_name("model", name, (row.identity.name for row in rows))
    groups = [group for group in groups_of(rows) if all(any(_is(row, name) for row in group) for name in names)]
    if not groups:
        raise SuiteError(
            "these cannot be compared: they have no scenario with the same data, baseline and judge in common",
            next_step=_what_they_have(rows, names),
        )
    return [_compared(group, results, names, app, shared_only, seed) for group in groups]


def _is(row: Row, name: str) -> bool:
    return name in (row.identity.name, row.model, row_key(row))


def _compared(
    group: Sequence[Row], results: Path, names: Sequence[str], app: str | None, shared_only: bool, seed: int
) -> Comparison:
    chosen = {name: _only_one(group, name) for name in names}
    title = title_of(group[0].run, (APP, app) if app is not None else None)
    units = {name: _units(row, name, results, app) for name, row in chosen.items()}
    try:
        pairs = compare_all(units, shared_only=shared_only, seed=seed)
    except SuiteError as error:
        raise SuiteError(error.what, where=title, next_step=error.next_step) from error
    return Comparison(title, group[0].kind.headline, tuple(names), tuple(pairs))


def _only_one(group: Sequence[Row], name: str) -> Row:
    found = [row for row in group if _is(row, name)]
    if len(found) == 1:
        return found[0]
    listed = "; ".join(
        f"{row_key(row)} ({row.model}, {plain(row.run.prompt.format)} prompt, {row.run.scenario.n_items} items, "
        f"{plain(row.run.date)})"
        for row in found[:_LISTED]
    )
    raise UsageError(
        f"{plain(name)} stands {len(found)} times", where=title_of(group[0].run), next_step=f"Name one of: {listed}."
    )


def _units(row: Row, name: str, results: Path, app: str | None) -> Units:
    found = measure(row, results, app)
    if isinstance(found, Measured):
        return found.units
    raise SuiteError(
        f"{plain(name)} cannot be compared: {found}",
        where=title_of(row.run),
        next_step="A comparison needs the raw verdicts of both: build again from runs that hold them.",
    )


def _what_they_have(rows: Sequence[Row], names: Sequence[str]) -> str:
    """On what each of the models was judged, the data by the first digits of their hash."""
    listed = []
    for name in names:
        found = sorted({f"{title_of(row.run)} (data {row.run.scenario.sha256[:8]})" for row in rows if _is(row, name)})
        more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        listed.append(f"{plain(name)}: {', '.join(found[:_LISTED])}{more}")
    return "They have: " + "; ".join(listed) + "."
