"""The board: everything that table, page, plots and exports show of what can be compared, computed here once.

Entries go in, a `Board` a comparison group (scenario, data, baseline, judge) comes out, its rows sorted, with rank
sets, length-controlled rates and the probe rates of the same models. What a judge without information said is in
none of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.leaderboard.cells import plain
from alpaca_eval_suite.leaderboard.choice import APP, choose, unknown_name
from alpaca_eval_suite.leaderboard.entry import Entry, Identity, run_key
from alpaca_eval_suite.leaderboard.equal_length import EqualLength, equal_length
from alpaca_eval_suite.leaderboard.measured import Measured, measure
from alpaca_eval_suite.leaderboard.notes import notes_of, of_boards
from alpaca_eval_suite.leaderboard.probe_rates import ProbeRate, best_fitting, probe_rates
from alpaca_eval_suite.leaderboard.ranking import Ranked, ranking
from alpaca_eval_suite.leaderboard.record import RateRecord, RunRecord
from alpaca_eval_suite.leaderboard.rows import WIN_RATE, Kind, Row, best_first, groups_of, judge_hash, title_of
from alpaca_eval_suite.stats.units import Units

LENGTH_CONTROLLED = "length_controlled"
"""What --sort calls the length-controlled win rate, which is not one of a run's own rates."""

_KEY = 8


@dataclass(frozen=True)
class BoardRow:
    """One run on a board. `number` is its place, from 1; `key` names it in links and files, and is the same in
    every table that holds the run.

    `rate` is the headline rate, None where there is none or it is withheld (`no_information`). `rank_reason` and
    `length_reason` say why a rank or a length-controlled rate is None; empty otherwise. `probes` by the names of
    PROBES. `units` are those of the rate, None where they are not known; the public form leaves them out.
    """

    number: int
    key: str
    row: Row
    rate: RateRecord | None
    no_information: bool
    rank: Ranked | None
    rank_reason: str
    length_controlled: RateRecord | None
    length_reason: str
    probes: Mapping[str, ProbeRate] = field(default_factory=dict)
    cost_usd: float | None = None
    guards: tuple[str, ...] = ()
    self_judged: str | None = None
    units: Units | None = field(default=None, repr=False, compare=False)

    @property
    def model(self) -> str:
        """The model's name as tables show it: one line, with the first digits of its fingerprint."""
        return self.row.model

    @property
    def mean_length(self) -> float | None:
        """Characters of the model's outputs in the mean."""
        return self.row.run.numbers.get("mean_length")

    @property
    def mean_length_baseline(self) -> float | None:
        """Characters of the baseline's outputs in the mean."""
        return self.row.run.numbers.get("mean_length_baseline")

    def as_json(self) -> dict[str, Any]:
        """The public form; rates are fractions. The slices are in the entry's file alone."""
        run = self.row.run
        withheld = {self.row.kind.headline} if self.no_information else set()
        return {
            "number": self.number,
            "key": self.key,
            "model": {"shown": self.model, **run.model.model_dump()},
            "rate": _rate(self.rate),
            "no_information": self.no_information,
            "rank": self.rank.as_json() if self.rank else None,
            "rank_reason": self.rank_reason,
            "length_controlled": _rate(self.length_controlled),
            "length_reason": self.length_reason,
            "mean_length": self.mean_length,
            "mean_length_baseline": self.mean_length_baseline,
            "probes": {name: probe.as_json() for name, probe in self.probes.items()},
            "cost_usd": self.cost_usd,
            "guards": list(self.guards),
            "self_judged": self.self_judged,
            "rates": {name: _rate(rate) for name, rate in run.rates.items() if name not in withheld},
            "differences": {name: _rate(rate) for name, rate in run.differences.items()},
            "numbers": dict(run.numbers),
            "prompt": run.prompt.model_dump(),
            "decoding": run.decoding.model_dump(mode="json"),
            "run": run.run,
            "date": run.date,
            "notes": list(run.notes),
        }


@dataclass(frozen=True)
class Board:
    """The rows of one comparison group, best first.

    `title` is made safe for a terminal, not for HTML or Markdown. `of_slice`: the slice and its value that the rates
    are of, None for the whole scenario. `judge` is the judge's name, `judge_sentence` what it was measured to be worth
    or "not calibrated"; both None without a judge. `sorted_by` names the rate that the rows are sorted by. `ranked`
    says how the ranks were made and of how many rows and ids, `length_control` the same of the length-controlled
    rates; empty where there are none. `notes` number the rows as `BoardRow.number` does.
    """

    title: str
    scenario: str
    sha256: str
    metric: str
    licence: str
    kind: Kind
    of_slice: tuple[str, str] | None
    baseline: str | None
    baseline_sha256: str | None
    judge: str | None
    judge_hash: str | None
    judge_sentence: str | None
    sorted_by: str
    ranked: str
    length_control: str
    rows: tuple[BoardRow, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The public form: what the board is of, its rows and its notes."""
        return {
            "title": self.title,
            "scenario": {
                "name": self.scenario,
                "sha256": self.sha256,
                "metric": self.metric,
                "licence": self.licence,
            },
            "slice": {"name": self.of_slice[0], "value": self.of_slice[1]} if self.of_slice else None,
            "baseline": None if self.baseline is None else {"name": self.baseline, "sha256": self.baseline_sha256},
            "judge": None
            if self.judge is None
            else {"name": self.judge, "hash": self.judge_hash, "card": self.judge_sentence},
            "rate": self.kind.headline,
            "lower_is_better": self.kind.lower_is_better,
            "sorted_by": self.sorted_by,
            "ranked": self.ranked,
            "length_control": self.length_control,
            "rows": [row.as_json() for row in self.rows],
            "notes": list(self.notes),
        }


def board_of(
    entries: Sequence[Entry],
    results: Path,
    *,
    scenario: str | None = None,
    app: str | None = None,
    judge: str | None = None,
    baseline: str | None = None,
    sort: str | None = None,
) -> list[Board]:
    """A board for each comparison group of the entries' runs, raw files read from the folder `results`.

    `scenario`, `judge` and `baseline` keep the runs with that name, `app` the rates of that slice. `sort`: the rate
    to sort by, or "length_controlled"; a board without it, and all where it is None, is sorted by its headline rate.
    Raises UsageError for a name that no entry has.
    """
    rows = choose(entries, scenario=scenario, app=app, judge=judge, baseline=baseline)
    known = {LENGTH_CONTROLLED, *(row.kind.headline for row in rows), *(name for row in rows for name in row.run.rates)}
    if sort is not None and sort not in known:
        raise unknown_name("rate", sort, known)
    probes = probe_rates(entries)
    return [_board(of, results, app, sort, probes) for of in groups_of(rows)]


def row_key(row: Row) -> str:
    """A short name of the run for links and files: letters and digits of its model's and its settings' hashes."""
    return f"{row.identity.short}-{sha256_text(repr(run_key(row.run)))[:_KEY]}"


def _board(
    group: list[Row],
    results: Path,
    app: str | None,
    sort: str | None,
    probes: Mapping[Identity, Mapping[str, list[tuple[RunRecord, ProbeRate]]]],
) -> Board:
    kind, first = group[0].kind, group[0].run
    measured = {id(row): measure(row, results, app) for row in group}
    lengths = _lengths(group, measured)
    rate_of = {id(row): rate for row, rate in zip(group, lengths.rates, strict=True)}
    sort = _sort(group, sort, lengths)

    def value(row: Row) -> float | None:
        if sort == LENGTH_CONTROLLED:
            found = rate_of[id(row)]
            return found.value if isinstance(found, RateRecord) else None
        if sort == kind.headline and row.withheld:
            return None
        rate = row.run.rates.get(sort)
        return rate.value if rate else None

    rows = best_first(group, value, lower_is_better=kind.lower_is_better and sort == kind.headline)
    found = [measured[id(row)] for row in rows]
    ranked = ranking(
        [of.units if isinstance(of, Measured) else of for of in found], lower_is_better=kind.lower_is_better
    )
    shown = [
        _board_row(number, row, place, rate_of[id(row)], of, best_fitting(row.run, probes.get(row.identity, {})))
        for number, (row, place, of) in enumerate(zip(rows, ranked.ranked, found, strict=True), 1)
    ]
    of_slice = (APP, app) if app is not None else None
    board = Board(
        title=title_of(first, of_slice),
        scenario=first.scenario.name,
        sha256=first.scenario.sha256,
        metric=first.scenario.metric,
        licence=first.scenario.licence,
        kind=kind,
        of_slice=of_slice,
        baseline=first.baseline.name if first.baseline else None,
        baseline_sha256=first.baseline.sha256 if first.baseline else None,
        judge=first.judge.name if first.judge else None,
        judge_hash=judge_hash(group[0]),
        judge_sentence=_judge_sentence(group[0]),
        sorted_by=sort,
        ranked=ranked.said,
        length_control=lengths.said,
        rows=tuple(shown),
        notes=(),
    )
    return replace(board, notes=(*notes_of(rows), *of_boards([board])))


def _judge_sentence(row: Row) -> str | None:
    """What the judge is worth: as the run says it or, where it was not calibrated then, by a card made since."""
    judge = row.run.judge
    if judge is None:
        return None
    if not judge.calibrated and judge.hash:
        from alpaca_eval_suite.judge.card import card_of

        card = card_of(judge.hash)
        if card is not None:
            return plain(card.sentence())
    return row.judge_worth


def _lengths(group: Sequence[Row], measured: Mapping[int, Measured | str]) -> EqualLength:
    if group[0].kind.headline != WIN_RATE:
        return EqualLength(("only win rates are length-controlled",) * len(group), "")
    found = [measured[id(row)] for row in group]
    data = [of if isinstance(of, str) else of.lengths or "its lengths are not kept" for of in found]
    recorded = [None if row.withheld or row.run.stopped_early else row.run.length_controlled for row in group]
    return equal_length(data, recorded)


def _sort(group: Sequence[Row], sort: str | None, lengths: EqualLength) -> str:
    """The rate that the group can be sorted by: `sort` where it has it."""
    has = {name for row in group for name in row.run.rates}
    if any(isinstance(rate, RateRecord) for rate in lengths.rates):
        has.add(LENGTH_CONTROLLED)
    return sort if sort in has and sort is not None else group[0].kind.headline


def _board_row(
    number: int,
    row: Row,
    place: Ranked | str,
    length: RateRecord | str,
    found: Measured | str,
    probes: Mapping[str, ProbeRate],
) -> BoardRow:
    return BoardRow(
        number=number,
        key=row_key(row),
        row=row,
        rate=None if row.withheld else row.headline,
        no_information=row.withheld,
        rank=place if isinstance(place, Ranked) else None,
        rank_reason="" if isinstance(place, Ranked) else place,
        length_controlled=length if isinstance(length, RateRecord) else None,
        length_reason="" if isinstance(length, RateRecord) else length,
        probes=probes,
        cost_usd=row.run.cost_usd,
        guards=row.run.guards,
        self_judged=row.run.self_judged,
        units=found.units if isinstance(found, Measured) else None,
    )


def _rate(rate: RateRecord | None) -> dict[str, Any] | None:
    return None if rate is None else rate.model_dump()
