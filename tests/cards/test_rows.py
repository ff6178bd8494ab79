"""Rows to instructions: dotted paths, and every slip in a data file named with its row."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.cards.rows import cell
from alpaca_eval_suite.errors import SuiteError

MakeScenario = Callable[..., Path]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def items_of(name: str = "trial") -> list[Any]:
    return list(load_instructions(load_card(name)))


@pytest.mark.parametrize(
    ("rows", "where", "what"),
    [
        ([{"id": "1", "text": "x"}], ":1", "has no 'instruction'"),
        ([{"instruction": "x"}], ":1", "has no 'id'"),
        ([{"id": "1", "instruction": "x"}, {"id": "1", "instruction": "y"}], ":2", "the id '1' stands twice"),
        ([{"id": 1, "instruction": "x"}, {"id": "1", "instruction": "y"}], ":2", "the id '1' stands twice"),
        ([{"id": "1", "instruction": " \n"}], ":1", "'instruction' is empty or not text"),
        ([{"id": "", "instruction": "x"}], ":1", "'id' is empty or not text"),
        ([{"id": None, "instruction": "x"}], ":1", "'id' is empty or not text"),
        ([{"id": True, "instruction": "x"}], ":1", "'id' is empty or not text"),
        ([{"id": "1", "instruction": ["x"]}], ":1", "'instruction' is empty or not text"),
        ([{"id": "1", "instruction": "x", "input": 5}], ":1", "'input' is not text"),
        ([{"id": "1", "instruction": "x"}, 5], ":2", "is not a JSON object"),
        ([], "", "holds no rows"),
    ],
)
def test_a_bad_row_is_named(scenario: MakeScenario, rows: list[Any], where: str, what: str) -> None:
    folder = scenario(rows)
    with pytest.raises(SuiteError) as caught:
        items_of()
    assert (caught.value.where, caught.value.what) == (f"{folder / 'data.jsonl'}{where}", what)


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"slices": {"app": "motivation"}}, "has no 'motivation'"),
        ({"key": {"checks": "check"}}, "has no 'check'"),
        ({"slices": {"app": "list"}}, "'list' is neither text nor a number"),
        ({"slices": {"app": "nothing"}}, "'nothing' is neither text nor a number"),
        ({"reference": "list"}, "'list' is not text"),
        ({"input": "instances.0.inptu"}, "no row has 'instances.0.inptu'"),
        ({"reference": "answer"}, "no row has 'answer'"),
    ],
)
def test_a_wrong_column_is_named(scenario: MakeScenario, columns: dict[str, Any], what: str) -> None:
    scenario([{"id": "1", "instruction": "x", "list": [], "nothing": None}], columns=columns)
    with pytest.raises(SuiteError) as caught:
        items_of()
    assert caught.value.what == what


def test_input_and_reference_may_be_left_out_of_a_row(scenario: MakeScenario) -> None:
    rows = [{"id": "1", "instruction": "x"}, {"id": "2", "instruction": "y", "input": "i", "reference": "r"}]
    scenario(rows, columns={"input": "input", "reference": "reference"})
    assert [(item.input, item.reference) for item in items_of()] == [("", None), ("i", "r")]
    scenario([{"id": "1", "instruction": "x"}], name="no_input_at_all")
    assert items_of("no_input_at_all")[0].input == ""


def test_texts_and_order_are_kept(scenario: MakeScenario) -> None:
    rows = [{"id": f"q{n}", "instruction": f" {n}\n", "input": " i "} for n in (3, 1, 2)]
    scenario(rows)
    assert [(item.id, item.instruction, item.input) for item in items_of()] == [
        ("q3", " 3\n", " i "),
        ("q1", " 1\n", " i "),
        ("q2", " 2\n", " i "),
    ]


def test_dotted_paths() -> None:
    row = {"instances": [{"input": "a"}, {"input": "b"}], "a.b": 1, "a": {"b": 2}, "n": {"0": "zero"}}
    assert cell(row, "instances.1.input") == "b"
    assert cell(row, "n.0") == "zero"
    assert cell(row, "a.b") == 1  # a key that holds a dot goes first
    for path in ("instances.2.input", "instances.-1.input", "instances.²", "instances.x", "a.b.c", "", "."):
        assert cell(row, path) is None


@settings(deadline=None)
@given(row=st.dictionaries(st.text(), JSON), path=st.text())
def test_no_path_raises(row: dict[str, Any], path: str) -> None:
    value = cell(row, path)
    assert value == row[path] if path in row else value is None or "." in path


@settings(deadline=None)
@given(
    keys=st.lists(st.text(st.characters(exclude_characters=".")) | st.integers(0, 3), min_size=1),
    value=JSON,
)
def test_a_path_leads_to_what_stands_there(keys: list[str | int], value: Any) -> None:
    row = value
    for key in reversed(keys):
        row = [None] * key + [row] if isinstance(key, int) else {key: row}
    assert cell(row, ".".join(map(str, keys))) == value
