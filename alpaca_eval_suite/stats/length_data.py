"""What length control reads: a model's wins and lengths by id, instruction difficulties, auxiliary rows.

>>> LengthData.of([Preference("a", 1.0, len_model=120, len_baseline=100)]).difference
array([20.])
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text
from alpaca_eval_suite.stats.units import units
from alpaca_eval_suite.types import Preference

FloatArray = npt.NDArray[np.float64]

_NAMED = 10
_ID_COLUMNS = ("id", "index")


@dataclass(frozen=True, eq=False)
class LengthData:
    """One model against one baseline: `wins[i]` (NaN where it failed) and `difference[i]` are of `ids[i]`.

    `difference` is the model's length less the baseline's in characters, NaN where a length is missing. `ids`
    stand in the order in which the verdicts name them first: only the peer's alignment by row looks at it.
    `same_model`: the verdicts are of a model against itself.
    """

    ids: tuple[str, ...]
    wins: FloatArray
    difference: FloatArray
    same_model: bool = False

    @classmethod
    def of(cls, preferences: Iterable[Preference]) -> "LengthData":
        """From the verdicts on one pair. An id's length is the mean of what its verdicts say.

        Raises SuiteError like `units`: the verdicts are of several pairs, or an id is of several scenarios.
        """
        preferences = list(preferences)
        of_id = units(preferences)
        values = dict(zip(of_id.ids, of_id.values, strict=True))
        lengths: dict[str, list[float]] = {}
        for p in preferences:
            known = p.len_model is not None and p.len_baseline is not None
            lengths.setdefault(p.id, []).append(
                float(p.len_model or 0) - float(p.len_baseline or 0) if known else math.nan
            )
        ids = tuple(lengths)
        return cls(
            ids,
            np.array([values[id_] for id_ in ids], dtype=np.float64),
            np.array([float(np.mean(lengths[id_])) for id_ in ids], dtype=np.float64),
            bool(preferences) and preferences[0].model == preferences[0].baseline,
        )

    @property
    def n_failed(self) -> int:
        """Ids without a win."""
        return int(np.isnan(self.wins).sum())

    def valid(self) -> "LengthData":
        """The ids that have a win."""
        keep = ~np.isnan(self.wins)
        ids = tuple(id_ for id_, kept in zip(self.ids, keep, strict=True) if kept)
        return LengthData(ids, self.wins[keep], self.difference[keep], self.same_model)


@dataclass(frozen=True, eq=False)
class Auxiliary:
    """Rows of other models that a fit may share its length and difficulty terms with; one row an id and model.

    `length` is the length difference over its standard deviation, the model's less the baseline's. `own` is
    True for a row to which the model's own constant applies; the others are weighted down (`weights`).
    """

    ids: tuple[str, ...]
    wins: FloatArray
    length: FloatArray
    difficulty: FloatArray
    own: npt.NDArray[np.bool_]
    n_models: int

    @property
    def weights(self) -> FloatArray:
        """1 for own rows; 0.2 over the number of models for the others, as AlpacaEval weights them."""
        return np.where(self.own, 1.0, 0.2 / self.n_models)

    def difficulties(self) -> dict[str, float]:
        """The difficulty of each id, as its first row has it, in the file's order."""
        found: dict[str, float] = {}
        for id_, value in zip(self.ids, self.difficulty, strict=True):
            found.setdefault(id_, float(value))
        return found


def read_difficulty(path: str | Path) -> dict[str, float]:
    """Instruction difficulties by id, in the file's order: a CSV with `id` or `index`, `instruction_difficulty`.

    Raises SuiteError when a column is missing, a value is no finite number, or an id stands twice.
    """
    path = Path(path)
    found: dict[str, float] = {}
    for where, id_, row in _rows(path, ("instruction_difficulty",)):
        if id_ in found:
            raise SuiteError(f"the id {id_!r} stands twice", where=where, next_step="Keep one row an id.")
        found[id_] = _number(row, "instruction_difficulty", where)
    return found


def read_auxiliary(path: str | Path) -> Auxiliary:
    """Auxiliary rows: a CSV with the columns of AlpacaEval's df_gamed.csv.

    `model`, `id` or `index`, `preference` (the win, in [0, 1]), `std_delta_len` (the baseline's length less the
    model's, over its standard deviation), `instruction_difficulty`, `not_gamed_baseline` (True or False).
    Raises SuiteError when a column is missing, a value is out of range, or a model has an id twice.
    """
    columns = ("model", "preference", "std_delta_len", "instruction_difficulty", "not_gamed_baseline")
    ids: list[str] = []
    numbers: list[tuple[float, float, float]] = []
    own: list[bool] = []
    seen: set[tuple[str, str]] = set()
    for where, id_, row in _rows(Path(path), columns):
        if (row["model"], id_) in seen:
            raise SuiteError(f"the id {id_!r} of {row['model']!r} stands twice", where=where)
        seen.add((row["model"], id_))
        win = _number(row, "preference", where)
        if not 0 <= win <= 1:
            raise SuiteError(f"'preference' must lie in [0, 1], not {win!r}", where=where)
        if row["not_gamed_baseline"] not in ("True", "False"):
            raise SuiteError(
                f"'not_gamed_baseline' must be True or False, not {row['not_gamed_baseline']!r}", where=where
            )
        # The file has the baseline's length first; the sign is turned so that longer is above 0.
        numbers.append((win, -_number(row, "std_delta_len", where), _number(row, "instruction_difficulty", where)))
        ids.append(id_)
        own.append(row["not_gamed_baseline"] == "True")
    columns_of = np.array(numbers, dtype=np.float64)
    return Auxiliary(
        tuple(ids),
        columns_of[:, 0],
        columns_of[:, 1],
        columns_of[:, 2],
        np.array(own),
        len({model for model, _ in seen}),
    )


def aligned(difficulty: Mapping[str, float], ids: Sequence[str], where: str) -> FloatArray:
    """The difficulty of each of `ids`. Raises SuiteError naming the first ten ids that have none."""
    missing = [id_ for id_ in ids if id_ not in difficulty]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise SuiteError(
            f"no difficulty for {', '.join(missing[:_NAMED])}{more}",
            where=where,
            next_step="Difficulties are joined on id, never on position: name the verdicts' ids in the CSV's column "
            "'id' (or 'index').",
        )
    return np.array([difficulty[id_] for id_ in ids], dtype=np.float64)


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(where, id, row) for each row of a CSV that has `columns` and a column of ids."""
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        names = reader.fieldnames or []
        id_column = next((name for name in _ID_COLUMNS if name in names), None)
        missing = [name for name in columns if name not in names] + ([] if id_column else ["id (or index)"])
        if missing or id_column is None:
            raise SuiteError(
                f"has no column {', '.join(missing)}",
                where=str(path),
                next_step=f"The first line must name the columns: id, {', '.join(columns)}.",
            )
        empty = True
        for row in reader:
            empty = False
            where = f"{path}:{reader.line_num}"
            if None in row or None in row.values():
                raise SuiteError(f"has not the {len(names)} fields that the first line names", where=where)
            yield where, row[id_column], row
    except csv.Error as error:
        raise SuiteError(f"is not a CSV file ({error})", where=f"{path}:{reader.line_num}") from error
    if empty:
        raise SuiteError("holds no rows", where=str(path))


def _number(row: Mapping[str, str], column: str, where: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        raise SuiteError(f"{column!r} must be a number, not {row[column]!r}", where=where) from None
    if not math.isfinite(value):
        raise SuiteError(f"{column!r} must be finite, not {row[column]!r}", where=where)
    return value
