"""Ratings from votes, pair sets and PandaLM's form, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats.ratings import Ratings, read_ratings


def read(tmp_path: Path, rows: list[dict[str, Any]]) -> Ratings:
    path = tmp_path / "f.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_ratings(path)


def test_votes_and_judges_in_one_file(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "win": 1.0, "judge": "human:eva", "len_model": 10, "len_baseline": 30},
        {"id": "a", "win": 0.5, "judge": "human:tom"},
        {"id": "b", "win": 0.0, "judge": "human:eva"},
        {"id": "a", "win": 1.0, "judge": "gpt", "order": "model_first"},
        {"id": "a", "win": 0.0, "judge": "gpt", "order": "baseline_first"},
        {"id": "b", "win": None, "judge": "gpt"},
    ]
    found = read(tmp_path, rows)
    assert found.raters == ("eva", "tom")
    np.testing.assert_array_equal(found.labels, [[1, 0], [2, np.nan]])
    np.testing.assert_array_equal(found.judge_labels["gpt"], [0, np.nan])
    np.testing.assert_array_equal(found.longer, [2, np.nan])


def test_pair_sets(tmp_path: Path) -> None:
    rows = [
        {"id": 2, "output_1": "long", "output_2": "s", "labels": {"x": 1, "y": None}, "judges": {"j": 0}},
        {"id": 1, "output_1": "a", "output_2": "b", "labels": {"x": 2, "y": 2}, "judges": {"j": None}},
    ]
    found = read(tmp_path, rows)
    assert found.items == ("1", "2")
    np.testing.assert_array_equal(found.labels, [[2, 2], [1, np.nan]])
    np.testing.assert_array_equal(found.judge_labels["j"], [np.nan, 0])
    assert found.longer.tolist() == [0, 1]


def test_pandalm_form(tmp_path: Path) -> None:
    row = {"id": 0, "response1": "a", "response2": "bc", "annotator1": 1, "annotator2": 2, "annotator3": 2}
    found = read(tmp_path, [row | {"gpt35_turbo": None, "pandalm_7b": 2}])
    assert found.raters == ("annotator1", "annotator2", "annotator3")
    assert sorted(found.judge_labels) == ["gpt35_turbo", "pandalm_7b"]
    assert found.longer.tolist() == [2]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"id": "a", "labels": {"x": 3}}], "f.jsonl:1: the label of 'x' must be 1, 2, 0 or null, not 3"),
        ([{"id": "a", "labels": {"x": True}}], "must be 1, 2, 0 or null, not True"),
        ([{"id": "a", "labels": [1]}], "must be objects"),
        ([{"labels": {"x": 1}}], "key 'id'"),
        ([{"id": "a", "labels": {"x": 1}}, {"id": "a", "labels": {"x": 1}}], "f.jsonl:2: the id 'a' stands twice"),
        ([{"id": "a", "win": 1.0, "judge": "gpt"}], "holds no label by a person"),
        ([{"id": "a", "labels": {}}], "holds no label by a person"),
        ([{"id": "a", "annotator1": 1}], "has no annotator2, annotator3"),
        ([], "holds no rows"),
    ],
)
def test_refused(tmp_path: Path, rows: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(SuiteError, match=problem):
        read(tmp_path, rows)
