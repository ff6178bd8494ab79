"""Boards as CSV: one line a run, every rate as a fraction with its interval, method, n and failures."""

import csv
import io
from collections.abc import Iterable, Sequence

from alpaca_eval_suite.leaderboard.board import LENGTH_CONTROLLED, Board, BoardRow
from alpaca_eval_suite.leaderboard.cells import csv_cell
from alpaca_eval_suite.leaderboard.probe_rates import PROBES
from alpaca_eval_suite.leaderboard.record import RateRecord
from alpaca_eval_suite.leaderboard.rows import KINDS, WIN_RATE

NO_INFORMATION = "no information"

_DIGITS = 6
_RATE_PARTS = ("", "_low", "_high", "_level", "_method", "_n", "_failed")


def to_csv(boards: Iterable[Board]) -> str:
    """The rows of all boards; cells that do not apply are empty.

    A win rate of a judge without information is not given; text that a spreadsheet would run is made text.
    """
    rows = [(board, row) for board in boards for row in board.rows]
    rates = _rate_names([row for _, row in rows])
    numbers = sorted({name for _, row in rows for name in row.row.run.numbers})
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    described = [_description(board, row) for board, row in rows]
    names = list(described[0]) if described else []
    beside = [LENGTH_CONTROLLED, *PROBES] if rows else []
    header = [*names, *(name + part for name in [*rates, *beside] for part in _RATE_PARTS), *numbers]
    writer.writerow([csv_cell(cell) for cell in header])
    for (_, row), description in zip(rows, described, strict=True):
        cells: list[object] = [csv_cell(str(value)) for value in description.values()]
        for name in rates:
            cells += _rate_cells(row.row.run.rates.get(name), withheld=row.no_information and name == WIN_RATE)
        cells += _rate_cells(row.length_controlled, withheld=False)
        for name in PROBES:
            probe = row.probes.get(name)
            cells += _rate_cells(probe.found if probe else None, withheld=False)
        cells += [_number(row.row.run.numbers.get(name)) for name in numbers]
        writer.writerow(cells)
    return stream.getvalue()


def _description(board: Board, row: BoardRow) -> dict[str, object]:
    """What the row is about, by column; the same columns for every row."""
    run, judge, baseline, rank = row.row.run, row.row.run.judge, row.row.run.baseline, row.rank
    described: dict[str, object | None] = {
        "model": row.row.identity.name,
        "fingerprint": run.model.fingerprint,
        "served_id": run.model.served_id,
        "deployment": run.model.deployment,
        "scenario": run.scenario.name,
        "slice": "=".join(board.of_slice) if board.of_slice else None,
        "metric": run.scenario.metric,
        "scenario_sha256": run.scenario.sha256,
        "n_items": run.scenario.n_items,
        "baseline": baseline and baseline.name,
        "baseline_sha256": baseline and baseline.sha256,
        "judge": f"{judge.name} ({board.judge_sentence})" if judge else None,
        "judge_hash": judge and judge.hash,
        "judge_template_sha256": judge and judge.template_sha256,
        "judge_orders": judge and judge.orders,
        "judge_seed": judge and judge.seed,
        "rank": rank and rank.rank,
        "rank_low": rank and rank.low,
        "rank_high": rank and rank.high,
        "guards": "; ".join(row.guards),
        "self_judged": row.self_judged,
        "cost_usd": row.cost_usd,
        "prompt": run.prompt.format,
        "prompt_sha256": run.prompt.sha256,
        "prompt_mismatch": run.prompt.mismatch if run.prompt.trained_with else None,
        "thinking": run.decoding.thinking,
        "thinking_tokens": run.decoding.thinking_tokens,
        "max_tokens": run.decoding.max_tokens,
        "temperature": run.decoding.temperature,
        "dtype": run.model.dtype,
        "device": run.model.device,
        "batch_size": run.model.batch_size,
        "source": run.source,
        "date": run.date,
        "run": run.run,
    }
    return {name: "" if value is None else value for name, value in described.items()}


def _rate_names(rows: Sequence[BoardRow]) -> list[str]:
    """Every rate that some row has: those of the tables first, in their order, then others by name."""
    found = {name for row in rows for name in row.row.run.rates}
    known = [name for kind in KINDS.values() for name in (kind.headline, *kind.rates)]
    return [name for name in dict.fromkeys(known) if name in found] + sorted(found - set(known))


def _rate_cells(rate: RateRecord | None, *, withheld: bool) -> list[object]:
    if rate is None:
        return [""] * len(_RATE_PARTS)
    if withheld:
        return [NO_INFORMATION, "", "", "", "", rate.n, rate.n_failed]
    if rate.ci is None:
        return [_number(rate.value), "", "", "", "", rate.n, rate.n_failed]
    ci = rate.ci
    return [
        _number(rate.value),
        *(_number(end) for end in (ci.low, ci.high, ci.level)),
        csv_cell(ci.method),
        rate.n,
        rate.n_failed,
    ]


def _number(value: float | None) -> object:
    return "" if value is None else round(value, _DIGITS)
