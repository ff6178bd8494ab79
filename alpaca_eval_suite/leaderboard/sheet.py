"""Entries as CSV: one line a run, every rate as a fraction with its interval, method, n and failures."""

import csv
import io
from collections.abc import Iterable, Sequence

from alpaca_eval_suite.leaderboard.cells import csv_cell
from alpaca_eval_suite.leaderboard.entry import Entry
from alpaca_eval_suite.leaderboard.record import RateRecord
from alpaca_eval_suite.leaderboard.rows import KINDS, WIN_RATE, Row, rows_of

NO_INFORMATION = "no information"

_DIGITS = 6
_RATE_PARTS = ("", "_low", "_high", "_level", "_method", "_n", "_failed")


def to_csv(entries: Iterable[Entry]) -> str:
    """The rows of all kinds of scenario; cells that do not apply are empty.

    A win rate of a judge without information is not given; text that a spreadsheet would run is made text.
    """
    rows = rows_of(entries)
    rates = _rate_names(rows)
    numbers = sorted({name for row in rows for name in row.run.numbers})
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    described = [_description(row) for row in rows]
    names = list(described[0]) if described else []
    header = [*names, *(name + part for name in rates for part in _RATE_PARTS), *numbers]
    writer.writerow([csv_cell(cell) for cell in header])
    for row, description in zip(rows, described, strict=True):
        cells: list[object] = [csv_cell(str(value)) for value in description.values()]
        for name in rates:
            cells += _rate_cells(row.run.rates.get(name), withheld=row.uninformative and name == WIN_RATE)
        cells += [_number(row.run.numbers.get(name)) for name in numbers]
        writer.writerow(cells)
    return stream.getvalue()


def _description(row: Row) -> dict[str, object]:
    """What the row is about, by column; the same columns for every row."""
    run, judge, baseline = row.run, row.run.judge, row.run.baseline
    described: dict[str, object | None] = {
        "model": row.identity.name,
        "fingerprint": run.model.fingerprint,
        "served_id": run.model.served_id,
        "deployment": run.model.deployment,
        "scenario": run.scenario.name,
        "metric": run.scenario.metric,
        "scenario_sha256": run.scenario.sha256,
        "n_items": run.scenario.n_items,
        "baseline": baseline and baseline.name,
        "baseline_sha256": baseline and baseline.sha256,
        "judge": row.judge,
        "judge_template_sha256": judge and judge.template_sha256,
        "judge_orders": judge and judge.orders,
        "judge_seed": judge and judge.seed,
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
        "date": run.date,
        "run": run.run,
    }
    return {name: "" if value is None else value for name, value in described.items()}


def _rate_names(rows: Sequence[Row]) -> list[str]:
    """Every rate that some row has: those of the tables first, in their order, then others by name."""
    found = {name for row in rows for name in row.run.rates}
    known = [name for kind in KINDS.values() for name in (kind.headline, *kind.rates)]
    return [name for name in known if name in found] + sorted(found - set(known))


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
