"""AlpacaEval's leaderboard CSVs: figures that were published, without the verdicts behind them."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from statistics import NormalDist

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text
from alpaca_eval_suite.leaderboard.importers.shared import NOTICED, percent
from alpaca_eval_suite.leaderboard.record import IntervalRecord, RateRecord, RunRecord
from alpaca_eval_suite.types import Interval

AS_PUBLISHED = "as published, not recomputed"

_NAMES = ("", "name", "model", "Unnamed: 0")
_LEVEL = 0.95


@dataclass(frozen=True)
class Published:
    """One row of a leaderboard, rates as fractions. `judge` and `baseline` as far as the file tells them."""

    where: str
    model: str
    judge: str
    baseline: str | None
    win_rate: float
    se: float | None
    n: int
    n_failed: int
    wins: int | None
    losses: int | None
    ties: int | None
    mean_length: float | None
    length_controlled: float | None
    listed_as: str

    @property
    def is_baseline(self) -> bool:
        """Whether it is the row of the baseline itself, which stands at a half by definition."""
        return self.win_rate == 0.5 and self.se == 0

    def rate(self) -> RateRecord:
        """The published rate; the interval is the normal one of the published standard error, and is named so."""
        ci = None
        if self.se is not None:
            reach = NormalDist().inv_cdf((1 + _LEVEL) / 2) * self.se
            ci = Interval(max(0.0, self.win_rate - reach), min(1.0, self.win_rate + reach), _LEVEL, "published normal")
        interval = IntervalRecord.model_validate(ci.as_json()) if ci else None
        return RateRecord(value=self.win_rate, ci=interval, n=self.n, n_failed=self.n_failed)

    def differences(self, run: RunRecord) -> list[str]:
        """What of the row does not follow from the verdicts of `run`, a sentence each."""
        found = run.win_rate or {}
        notes = [
            f"The published {name} is {percent(published)} ({Path(self.where).name}); {percent(mine)} follows from "
            "these verdicts."
            for name, published, mine in (
                ("win rate", self.win_rate, found.get("win_rate")),
                ("standard error", self.se, found.get("se")),
            )
            if published is not None and mine is not None and abs(published - mine) > NOTICED
        ]
        if found.get("n") != self.n:
            notes.append(f"The published row counts {self.n} verdicts; these files hold {found.get('n')}.")
        return notes


def read_published(path: Path) -> list[Published]:
    """The rows of a leaderboard CSV.

    The judge is in a column `judge`, else in the file's name (JUDGE_leaderboard.csv), else it is the folder's name;
    the baseline in a column, else it is the row at exactly 50 % with no error.
    Raises SuiteError naming the line: a column that is missing, no number, a rate outside [0, 100], a row twice.
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    rows: list[Published] = []
    seen: dict[tuple[str, str], str] = {}
    try:
        header = list(reader.fieldnames or [])
        name_column = next((name for name in _NAMES if name in header), None)
        if name_column is None or "win_rate" not in header:
            raise SuiteError(
                "is not a leaderboard of AlpacaEval: it has no column of names, or no column win_rate",
                where=str(path),
                next_step="Give a file such as weighted_alpaca_eval_gpt4_turbo_leaderboard.csv.",
            )
        for row in reader:
            where = f"{path}:{reader.line_num}"
            published = _row(row, name_column, _judge_of(path), where)
            first = seen.setdefault((published.judge, published.model), where)
            if first != where:
                raise SuiteError(f"the model {published.model!r} stands twice, first at {first}", where=where)
            rows.append(published)
    except csv.Error as error:
        raise SuiteError(f"is not valid CSV ({error})", where=f"{path}:{reader.line_num}") from error
    return rows


def is_leaderboard(path: Path) -> bool:
    """Whether a CSV found in a folder is a leaderboard of models (one of judges lies beside them)."""
    header = read_text(path).split("\n", 1)[0]
    return "win_rate" in header.split(",")


def baseline_of(rows: Iterable[Published]) -> str | None:
    """The baseline of the rows of one judge: named, or the row that stands at a half by definition."""
    rows = list(rows)
    named = {row.baseline for row in rows if row.baseline}
    own = {row.model for row in rows if row.is_baseline}
    found = named or own
    return found.pop() if len(found) == 1 else None


def index(tables: Iterable[Sequence[Published]]) -> dict[tuple[str, str], Published]:
    """The rows of several files by judge and model; of a row that several hold, the one that comes first."""
    found: dict[tuple[str, str], Published] = {}
    for rows in tables:
        for row in rows:
            found.setdefault((row.judge, row.model), row)
    return found


def _judge_of(path: Path) -> str:
    stem = path.stem.removesuffix("leaderboard").rstrip("_")
    return stem or path.absolute().parent.name


def _row(row: Mapping[str | None, str | None], name_column: str, judge: str, where: str) -> Published:
    if None in row:
        raise SuiteError("has more cells than the header", where=where)
    model = (row.get(name_column) or "").strip()
    if not model:
        raise SuiteError("names no model", where=where)
    win_rate = _share(row, "win_rate", where)
    if win_rate is None:
        raise SuiteError("key 'win_rate': is missing", where=where)
    wins, losses, ties = (_count(row, key, where) for key in ("n_wins", "n_wins_base", "n_draws"))
    counted = None if None in (wins, losses, ties) else (wins or 0) + (losses or 0) + (ties or 0)
    n = _count(row, "n_total", where) or _count(row, "n", where) or counted or 0
    n_rows = _count(row, "n_rows_file", where)
    return Published(
        where=where,
        model=model,
        judge=(row.get("judge") or "").strip() or judge,
        baseline=(row.get("baseline") or "").strip() or None,
        win_rate=win_rate,
        se=_share(row, "standard_error", where),
        n=n,
        n_failed=max(0, n_rows - n) if n_rows is not None else 0,
        wins=wins,
        losses=losses,
        ties=ties,
        mean_length=_number(row, "avg_length", where),
        length_controlled=_share(row, "length_controlled_winrate", where),
        listed_as=(row.get("mode") or "").strip(),
    )


def _share(row: Mapping[str | None, str | None], key: str, where: str) -> float | None:
    """Percent as a fraction."""
    value = _number(row, key, where)
    if value is not None and not 0 <= value <= 100:
        raise SuiteError(f"key {key!r}: must lie in [0, 100], not {value:g}", where=where)
    return None if value is None else value / 100


def _count(row: Mapping[str | None, str | None], key: str, where: str) -> int | None:
    value = _number(row, key, where)
    if value is not None and (value < 0 or value != int(value)):
        raise SuiteError(f"key {key!r}: must be a count, not {value:g}", where=where)
    return None if value is None else int(value)


def _number(row: Mapping[str | None, str | None], key: str, where: str) -> float | None:
    cell = (row.get(key) or "").strip()
    if not cell or cell.lower() == "nan":
        return None
    try:
        value = float(cell)
    except ValueError:
        raise SuiteError(f"key {key!r}: must be a number, not {cell[:40]!r}", where=where) from None
    if not isfinite(value):
        raise SuiteError(f"key {key!r}: must be a finite number, not {cell[:40]!r}", where=where)
    return value
