"""Boards as the JSON that stands in the page. Pure functions.

Columns and cells are ready to be shown, so that the page's scripts know nothing of scenarios: a cell of the kind
`rate` is [value, low, high, n, failed, number of its method], `ranks` [best, worst], others a number or null.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.leaderboard.board import LENGTH_CONTROLLED, Board, BoardRow
from alpaca_eval_suite.leaderboard.cells import plain
from alpaca_eval_suite.leaderboard.columns import label
from alpaca_eval_suite.leaderboard.page.facts import facts_of, flags_of
from alpaca_eval_suite.leaderboard.page.head_to_head import HeadToHead
from alpaca_eval_suite.leaderboard.probe_rates import PROBES
from alpaca_eval_suite.leaderboard.record import RateRecord
from alpaca_eval_suite.leaderboard.rows import WIN_RATE

_ROUNDING = 6  # digits of a share: a ten-thousandth of a point
_KEY = 8
_SHORT_HASH = 8
_RANK = "rank"

Cell = object


@dataclass(frozen=True)
class Pairs:
    """The head-to-head comparison of the rows with these keys, or the reason why there is none."""

    keys: tuple[str, ...] = ()
    found: HeadToHead | None = None
    reason: str = ""


@dataclass(frozen=True)
class Sources:
    """Where the details of a board are: of all runs in common, and of each row by its key (DetailFile.as_json)."""

    shared: Mapping[str, Any] | None
    rows: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class _Column:
    key: str
    label: str
    kind: str
    cell: Callable[[BoardRow], Any]
    reason: Callable[[BoardRow], str] = lambda row: ""
    better: str | None = None
    bars: bool = False
    help: str = ""


def board_key(board: Board) -> str:
    """A short name of the board for links and files."""
    of = (board.scenario, board.sha256, board.of_slice, board.baseline, board.baseline_sha256)
    return sha256_text(repr((*of, board.judge, board.judge_hash)))[:_KEY]


def payload_of(boards: Iterable[tuple[Board, Pairs, Sources]]) -> dict[str, Any]:
    """What the page holds of the boards; `first` is the number of the one that it opens with, the largest."""
    shown = [_board(board, pairs, sources) for board, pairs, sources in boards]
    largest = max(range(len(shown)), key=lambda number: len(shown[number]["rows"]), default=0)
    return {"boards": shown, "first": largest}


def _board(board: Board, pairs: Pairs, sources: Sources) -> dict[str, Any]:
    methods: dict[str, int] = {}
    columns = [column for column in _columns(board, methods) if _has_cells(column, board)]
    keys = {column.key for column in columns}
    views = [
        "",
        *(["forest"] if any(row.rate for row in board.rows) else []),
        *(["length"] if "mean_length" in keys else []),
        *(["pairs"] if len(board.rows) > 1 else []),
        *(["bars"] if any(column.bars for column in columns) else []),
    ]
    sort = board.sorted_by if board.sorted_by in keys else board.kind.headline
    ascending = board.kind.lower_is_better and sort == board.kind.headline
    return {
        "key": board_key(board),
        "title": board.title,
        "scenario": board.scenario,
        "app": ": ".join(board.of_slice) if board.of_slice else None,
        "baseline": board.baseline,
        "judge": board.judge,
        "data": board.sha256[:_SHORT_HASH],
        "metric": board.metric,
        "lead": _lead(board),
        "judge_sentence": f"Judge: {board.judge_sentence}" if board.judge_sentence else None,
        "notes": list(board.notes),
        "rate": board.kind.headline,
        "sort": sort if ascending else f"-{sort}",
        "reference": 0.5 if board.kind.headline == WIN_RATE else None,
        "baseline_length": next((row.mean_length_baseline for row in board.rows if row.mean_length_baseline), None),
        "views": views,
        "columns": [
            {
                "key": column.key,
                "label": column.label,
                "kind": column.kind,
                "better": column.better,
                "bars": column.bars,
                "help": column.help,
            }
            for column in columns
        ],
        "rows": [_row(row, board, columns, sources.rows.get(row.key)) for row in board.rows],
        "methods": list(methods),
        "pairs": _pairs(pairs),
        "pairs_reason": pairs.reason,
        "shared": sources.shared,
    }


def _columns(board: Board, methods: dict[str, int]) -> list[_Column]:
    def rate(found: RateRecord | None) -> Cell:
        return _rate_cell(found, methods)

    def of_run(name: str) -> Callable[[BoardRow], Cell]:
        return lambda row: rate(row.row.run.rates.get(name))

    def difference(name: str) -> Callable[[BoardRow], Cell]:
        return lambda row: rate(row.row.run.differences.get(name))

    def probe(name: str) -> Callable[[BoardRow], Cell]:
        return lambda row: rate(row.probes[name].found if name in row.probes else None)

    kind = board.kind
    better = "low" if kind.lower_is_better else "high"
    is_probe = kind.headline != WIN_RATE
    return [
        _Column("number", "Row", "number", lambda row: row.number, help="as the notes name it"),
        _Column("model", "Model", "model", lambda row: None),
        _Column(kind.headline, f"{label(kind.headline)}\u00a0%", "rate", lambda row: rate(row.rate),
                _why_no_rate, better, is_probe, "with its interval"),
        _Column(_RANK, "Rank", "ranks", _ranks, lambda row: row.rank_reason, "low",
                help="the ranks that the data allow, all models at once"),
        _Column("n", "n", "number", lambda row: row.row.headline.n if row.row.headline else None),
        _Column("failed", "Failed", "number", lambda row: row.row.headline.n_failed if row.row.headline else None),
        _Column(LENGTH_CONTROLLED, "Length-controlled\u00a0%", "rate", lambda row: rate(row.length_controlled),
                lambda row: row.length_reason, better, help="the win rate at equal length"),
        *(_Column(name, f"{label(name)}\u00a0%", "rate", of_run(name), bars=is_probe) for name in kind.rates),
        *(_Column(name, f"{label(name)}, points", "rate", difference(name)) for name in kind.differences),
        _Column("mean_length", "Mean length", "number", lambda row: row.mean_length, help="characters"),
        *(_Column(f"probe_{name}", f"{asked.label}\u00a0%", "rate", probe(name), better="low", bars=True)
          for name, asked in PROBES.items() if not is_probe),
        _Column("cost", "Cost", "money", lambda row: row.cost_usd, help="of judging, in US dollars"),
        _Column("flags", "Flags", "flags", flags_of),
    ]  # fmt: skip


def _has_cells(column: _Column, board: Board) -> bool:
    """Whether the column is shown: where anything stands in it; the model's name and the headline rate always."""
    always = ("model", board.kind.headline)
    return column.key in always or any(column.cell(row) not in (None, ()) for row in board.rows)


def _row(row: BoardRow, board: Board, columns: Sequence[_Column], source: Mapping[str, Any] | None) -> dict[str, Any]:
    cells = [None if column.kind == "flags" else column.cell(row) for column in columns]
    reasons = {
        str(number): reason
        for number, (column, cell) in enumerate(zip(columns, cells, strict=True))
        if cell is None and (reason := column.reason(row))
    }
    return {
        "key": row.key,
        "model": row.model,
        "cells": cells,
        "reasons": reasons,
        "flags": list(flags_of(row)),
        "facts": facts_of(row),
        "notes": list(row.row.run.notes),
        "details": source,
    }


def _rate_cell(rate: RateRecord | None, methods: dict[str, int]) -> Cell:
    if rate is None or rate.value is None:
        return None
    method = methods.setdefault(rate.ci.method if rate.ci else "no interval", len(methods))
    ends = (round(rate.ci.low, _ROUNDING), round(rate.ci.high, _ROUNDING)) if rate.ci else (None, None)
    return [round(rate.value, _ROUNDING), *ends, rate.n, rate.n_failed, method]


def _ranks(row: BoardRow) -> Cell:
    return [row.rank.low, row.rank.high] if row.rank else None


def _why_no_rate(row: BoardRow) -> str:
    return "no information: the judge does not see more than one that does not look" if row.no_information else ""


def _lead(board: Board) -> str:
    """What is measured, in one line."""
    parts = [board.kind.title]
    if board.of_slice:
        parts.append(f"{plain(board.of_slice[0])}: {plain(board.of_slice[1])}")
    if board.baseline is not None:
        parts.append(f"baseline {plain(board.baseline)}")
    if board.judge is not None:
        parts.append(f"judge {plain(board.judge)}")
    counts = sorted({row.row.run.scenario.n_items for row in board.rows})
    items = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    return " · ".join([*parts, f"{items} items", f"licence {plain(board.licence)}"])


def _pairs(pairs: Pairs) -> dict[str, Any] | None:
    """The lower triangle, row by row: tenths of points, and a 1 for each difference that holds."""
    if pairs.found is None:
        return None
    difference, holds = pairs.found.difference, pairs.found.holds
    rows = range(len(pairs.keys))
    return {
        "keys": list(pairs.keys),
        "how": f"The {len(pairs.keys)} best models, on the instances that both have. A number stands where the "
        "difference holds: sign-flip test, 5 % for all pairs of this board together. Pale squares are not told from "
        "chance.",
        "differences": [[_tenths(difference[a, b]) for b in range(a)] for a in rows],
        "holds": ["".join("1" if holds[a, b] else "0" for b in range(a)) for a in rows],
    }


def _tenths(difference: float) -> int | None:
    return None if isnan(difference) else round(1000 * float(difference))
