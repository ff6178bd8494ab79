"""Reading and writing verdicts: values, errors that name line and key, AlpacaEval's files."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats.verdicts import (
    alpaca_eval_win,
    preference_to_json,
    read_preferences,
    write_preferences,
)
from alpaca_eval_suite.types import ORDERS, Preference

TEXT = st.text(max_size=8)
LENGTHS = st.none() | st.integers(0, 10**6)
PREFERENCES = st.builds(
    Preference,
    id=st.text(min_size=1, max_size=8),
    win=st.none() | st.floats(0, 1),
    model=TEXT,
    baseline=TEXT,
    judge=TEXT,
    scenario=TEXT,
    order=st.sampled_from(ORDERS),
    seed=st.integers(-5, 5),
    len_model=LENGTHS,
    len_baseline=LENGTHS,
    slices=st.dictionaries(TEXT, TEXT, max_size=2),
    reason=TEXT,
)


def read_lines(folder: Path, *rows: Any) -> list[Preference]:
    path = folder / "preferences.jsonl"
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
    return read_preferences(path)


def test_id_and_win_are_enough(tmp_path: Path) -> None:
    assert read_lines(tmp_path, {"id": "1", "win": 1}, {"id": "2", "win": None}) == [
        Preference("1", 1.0),
        Preference("2", None),
    ]


def test_unknown_keys_and_optional_nulls_are_passed_over(tmp_path: Path) -> None:
    row = {"id": "1", "win": 0.25, "seconds": 3, "tags": ["x"], "model": None, "seed": None, "slices": None}
    assert read_lines(tmp_path, row) == [Preference("1", 0.25)]


@given(preferences=st.lists(PREFERENCES, max_size=4, unique_by=lambda p: p.full_key))
def test_what_is_written_is_read(preferences: list[Preference], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("verdicts") / "preferences.jsonl"
    write_preferences(path, preferences)
    assert [preference_to_json(p) for p in read_preferences(path)] == [preference_to_json(p) for p in preferences]


def test_half_a_surrogate_pair_is_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "preferences.jsonl"
    write_preferences(path, [Preference("1", None, reason="judge said \ud800 日本")])
    assert read_preferences(path)[0].reason == "judge said \ud800 日本"
    assert "日本" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"win": 1}, "id"),
        ({"id": 7, "win": 1}, "id"),
        ({"id": "", "win": 1}, "id"),
        ({"id": "7"}, "win"),
        ({"id": "7", "win": 1.01}, "win"),
        ({"id": "7", "win": -0.5}, "win"),
        ({"id": "7", "win": 10**400}, "win"),
        ({"id": "7", "win": "1"}, "win"),
        ({"id": "7", "win": True}, "win"),
        ({"id": "7", "win": float("nan")}, "win"),
        ({"id": "7", "win": float("inf")}, "win"),
        ({"id": "7", "win": 1, "order": "swapped"}, "order"),
        ({"id": "7", "win": 1, "seed": 1.5}, "seed"),
        ({"id": "7", "win": 1, "seed": True}, "seed"),
        ({"id": "7", "win": 1, "model": 3}, "model"),
        ({"id": "7", "win": 1, "len_model": -1}, "len_model"),
        ({"id": "7", "win": 1, "len_baseline": "12"}, "len_baseline"),
        ({"id": "7", "win": 1, "slices": ["app"]}, "slices"),
        ({"id": "7", "win": 1, "slices": {"app": 1}}, "slices"),
    ],
)
def test_a_bad_value_names_line_and_key(tmp_path: Path, row: dict[str, Any], key: str) -> None:
    with pytest.raises(SuiteError, match=rf"preferences\.jsonl:2: key '{key}'"):
        read_lines(tmp_path, {"id": "good", "win": 0}, row)


def test_a_full_key_that_stands_twice_is_named(tmp_path: Path) -> None:
    row = {"id": "7", "win": 1, "model": "m", "judge": "j", "order": "model_first"}
    with pytest.raises(SuiteError) as caught:
        read_lines(tmp_path, row, {**row, "order": "baseline_first"}, {**row, "win": 0})
    message = str(caught.value)
    assert "preferences.jsonl:3" in message
    assert "preferences.jsonl:1" in message
    assert "id='7', model='m', baseline='baseline', judge='j', order='model_first', seed=0" in message


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"id,win\n1,1\n", "is not valid JSON"),
        (b"<html></html>", "is not valid JSON"),
        (gzip.compress(b'{"id": "1", "win": 1}'), "is not UTF-8"),
        (b'[{"id": "1", "win": 1}', "is not valid JSON"),
        (b"[1]", "is not a JSON object"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(SuiteError, match=problem):
        read_preferences(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"nowhere\.jsonl"):
        read_preferences(tmp_path / "nowhere.jsonl")


@pytest.mark.parametrize(("preference", "win"), [(2, 1.0), (1, 0.0), (1.5, 0.5), (0, 0.5), (1.25, 0.25), (None, None)])
def test_alpaca_eval_coding(preference: float | None, win: float | None) -> None:
    assert alpaca_eval_win(preference) == win


@pytest.mark.parametrize("preference", [-1, 0.5, 2.01, 3])
def test_alpaca_eval_coding_has_nothing_else(preference: float) -> None:
    with pytest.raises(ValueError, match="neither"):
        alpaca_eval_win(preference)


ANNOTATION = {
    "instruction": "Say hi.",
    "output_1": "Hello.",
    "output_2": "Hi",
    "generator_1": "text_davinci_003",
    "generator_2": "alpaca-7b",
    "annotator": "alpaca_eval_gpt4",
    "preference": 2,
    "price_per_example": 0.01,
}


def test_annotations_of_alpaca_eval_are_converted(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    failed = {**ANNOTATION, "instruction": "Say no.", "preference": None}
    path.write_text(json.dumps([ANNOTATION, failed], indent=2))
    first, second = read_preferences(path)
    # The first 16 digits of: printf 'Say hi.' | sha256sum
    assert first == Preference(
        "e276e57b8ac9f385",
        1.0,
        model="alpaca-7b",
        baseline="text_davinci_003",
        judge="alpaca_eval_gpt4",
        len_model=2,
        len_baseline=6,
    )
    assert second.win is None
    assert second.reason


def test_a_bad_annotation_names_entry_and_key(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    for key, value in {"preference": 3, "instruction": None, "output_2": 5}.items():
        path.write_text(json.dumps([{**ANNOTATION, "instruction": "Other."}, {**ANNOTATION, key: value}]))
        with pytest.raises(SuiteError, match=rf"annotations\.json\[1\]: key '{key}'"):
            read_preferences(path)


def test_one_instruction_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps([ANNOTATION, {**ANNOTATION, "preference": 1}]))
    with pytest.raises(SuiteError, match="stands twice"):
        read_preferences(path)
