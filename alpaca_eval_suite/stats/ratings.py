"""Who said what of the same pairs: votes, human-labelled pair sets and PandaLM's file, in one form.

>>> ratings = Ratings.of({"a": {"x": 1, "y": 1}, "b": {"x": 2}}, judges={"j": {"a": 1, "b": None}})
>>> ratings.raters, ratings.labels.tolist()
(('x', 'y'), [[1.0, 1.0], [2.0, nan]])
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows
from alpaca_eval_suite.stats.units import ROUNDING, TIE
from alpaca_eval_suite.stats.verdicts import read_preferences
from alpaca_eval_suite.types import Preference

FloatArray = npt.NDArray[np.float64]

LABELS = (0, 1, 2)
"""0 neither output is better, 1 the first (in verdicts the model's), 2 the second."""

HUMAN = "human:"
"""What the name of a judge begins with who is a person."""

_PANDALM_RATERS = ("annotator1", "annotator2", "annotator3")
_PANDALM_JUDGES = ("gpt35_turbo", "pandalm_7b")

_Labels = dict[str, dict[str, int | None]]
_Reader = Callable[[dict[str, Any], str], tuple[dict[str, Any], dict[str, Any]]]


@dataclass(frozen=True, eq=False)
class Ratings:
    """`labels` (items, raters) of people and `judge_labels` (items) of each judge: 0, 1 or 2.

    NaN is a label that a rater did not give; for a judge it is a failure. `longer` is the label of one who takes
    the longer output, NaN where the lengths are not known. `items` are sorted and unique, so the same labels in
    any order give the same ratings.
    """

    items: tuple[str, ...]
    raters: tuple[str, ...]
    labels: FloatArray
    judge_labels: Mapping[str, FloatArray]
    longer: FloatArray

    @classmethod
    def of(
        cls,
        people: Mapping[str, Mapping[str, int | None]],
        judges: Mapping[str, Mapping[str, int | None]],
        longer: Mapping[str, int | None] | None = None,
    ) -> "Ratings":
        """From the labels of each item by rater (`people`), of each judge by item, and of the longer output.

        A judge's label of an item without a person's is passed over; an item that a judge lacks it has failed.
        """
        longer = longer or {}
        items = tuple(sorted(item for item, labels in people.items() if labels))
        raters = tuple(sorted({rater for labels in people.values() for rater in labels}))
        matrix = np.array([[_number(people[item].get(rater)) for rater in raters] for item in items], dtype=np.float64)
        of_judges = {
            judge: np.array([_number(labels.get(item)) for item in items], dtype=np.float64)
            for judge, labels in sorted(judges.items())
        }
        lengths = np.array([_number(longer.get(item)) for item in items], dtype=np.float64)
        return cls(items, raters, matrix.reshape(len(items), len(raters)), of_judges, lengths)


def read_ratings(path: str | Path) -> Ratings:
    """The ratings of a file, whose first object tells its form.

    Verdict lines: judges named `human:...` are raters, the others are judges; a rater's orders and seeds are
    averaged to the label of the side on which they lie. Pair sets: {"id", "labels": {annotator: 1|2|0}} and,
    where there are any, "judges": {name: 1|2|0|null}. PandaLM's test set: annotator1 to annotator3, gpt35_turbo,
    pandalm_7b. Raises SuiteError naming the row for a wrong label or an id that stands twice, and for a file in
    which no person has labelled anything.
    """
    path = Path(path)
    first = next(iter(read_rows(path)), None)
    if first is None:
        raise SuiteError("holds no rows", where=str(path))
    if "labels" in first[1]:
        ratings = _from_rows(path, _of_pair, ("output_1", "output_2"))
    elif _PANDALM_RATERS[0] in first[1]:
        ratings = _from_rows(path, _of_pandalm, ("response1", "response2"))
    else:
        ratings = ratings_of_verdicts(read_preferences(path))
    if not ratings.items:
        raise SuiteError(
            "holds no label by a person",
            where=str(path),
            next_step=f"Name people as judges '{HUMAN}NAME', or give pairs with the key 'labels'.",
        )
    return ratings


def ratings_of_verdicts(preferences: Iterable[Preference]) -> Ratings:
    """The ratings in verdicts: an item is one (scenario, id, model, baseline)."""
    wins: dict[tuple[str, str], list[float | None]] = {}
    longer: dict[str, int | None] = {}
    for p in preferences:
        item = json.dumps([p.scenario, p.id, p.model, p.baseline])
        wins.setdefault((p.judge, item), []).append(p.win)
        if p.len_model is not None and p.len_baseline is not None:
            longer[item] = _longer(p.len_model, p.len_baseline)
    people: _Labels = {}
    judges: _Labels = {}
    for (judge, item), values in wins.items():
        label = _side(values)
        if not judge.startswith(HUMAN):
            judges.setdefault(judge, {})[item] = label
        elif label is not None:
            people.setdefault(item, {})[judge.removeprefix(HUMAN)] = label
    return Ratings.of(people, judges, longer)


def _side(values: list[float | None]) -> int | None:
    """The label of a judge's verdicts on one item: None where one failed."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    mean = fsum(known) / len(known)
    return 0 if abs(mean - TIE) < ROUNDING else 1 if mean > TIE else 2


def _from_rows(path: Path, read: _Reader, outputs: tuple[str, str]) -> Ratings:
    """`read` gives the labels of people and of judges in a row; `outputs` are the keys of the two texts."""
    people: _Labels = {}
    judges: _Labels = {}
    longer: dict[str, int | None] = {}
    for where, row in read_rows(path):
        item = row.get("id")
        if isinstance(item, bool) or not isinstance(item, str | int):
            raise SuiteError("key 'id': is missing or neither text nor an integer", where=where)
        if str(item) in people:
            raise SuiteError(f"the id {item!r} stands twice", where=where, next_step="Keep one row a pair.")
        of_people, of_judges = read(row, where)
        people[str(item)] = {
            name: label for name, value in of_people.items() if (label := _label(value, name, where)) is not None
        }
        for name, value in of_judges.items():
            judges.setdefault(name, {})[str(item)] = _label(value, name, where)
        first, second = outputs
        if isinstance(row.get(first), str) and isinstance(row.get(second), str):
            longer[str(item)] = _longer(len(row[first]), len(row[second]))
    return Ratings.of(people, judges, longer)


def _longer(first: int, second: int) -> int:
    return 0 if first == second else 1 if first > second else 2


def _of_pair(row: dict[str, Any], where: str) -> tuple[dict[str, Any], dict[str, Any]]:
    labels, judges = row.get("labels"), row.get("judges") or {}
    if not isinstance(labels, dict) or not isinstance(judges, dict):
        raise SuiteError("'labels' and 'judges' must be objects of 1, 2 or 0", where=where)
    return labels, judges


def _of_pandalm(row: dict[str, Any], where: str) -> tuple[dict[str, Any], dict[str, Any]]:
    missing = [name for name in _PANDALM_RATERS if name not in row]
    if missing:
        raise SuiteError(f"has no {', '.join(missing)}", where=where)
    return {name: row[name] for name in _PANDALM_RATERS}, {name: row[name] for name in _PANDALM_JUDGES if name in row}


def _label(value: Any, name: str, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value not in LABELS:
        raise SuiteError(f"the label of {name!r} must be 1, 2, 0 or null, not {value!r}", where=where)
    return value


def _number(label: int | None) -> float:
    return float("nan") if label is None else float(label)
