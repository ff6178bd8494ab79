"""Outputs joined to items: by id, by texts, never by position; what does not fit is named."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.cards import match_outputs, outputs_hash, read_outputs
from alpaca_eval_suite.cards.card import OutputColumns
from alpaca_eval_suite.cards.outputs import OutputsFile
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.types import Completion, Instruction

ITEMS = [
    Instruction("q1", "Name a colour."),
    Instruction("q2", "Translate.\n", "Guten Tag"),
    Instruction("q3", "Translate.", "Gute Nacht"),
]


def write(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def error_of(path: Path, items: Sequence[Instruction] = ITEMS) -> SuiteError:
    with pytest.raises(SuiteError) as caught:
        match_outputs(read_outputs(path), items)
    return caught.value


def texts(found: dict[str, Completion]) -> dict[str, str]:
    return {name: completion.output for name, completion in found.items()}


def test_joined_on_id_in_the_order_of_the_items(tmp_path: Path) -> None:
    rows = [{"id": name, "output": f"to {name}", "model": "mine"} for name in ("q3", "q1", "q2")]
    outputs = read_outputs(write(tmp_path / "outputs.jsonl", rows))
    found = match_outputs(outputs, ITEMS)
    assert list(found) == ["q1", "q2", "q3"]
    assert found["q3"] == Completion("q3", "to q3", "mine")


def test_an_id_goes_before_the_texts(tmp_path: Path) -> None:
    rows = [{"id": item.id, "instruction": "Name a colour.", "output": item.id} for item in ITEMS]
    found = match_outputs(read_outputs(write(tmp_path / "o.jsonl", rows)), ITEMS)
    assert texts(found) == {"q1": "q1", "q2": "q2", "q3": "q3"}


def test_ids_that_are_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "o.jsonl", [{"id": 7, "output": "x"}])
    assert texts(match_outputs(read_outputs(path), [Instruction("7", "Say x.")])) == {"7": "x"}


def test_matched_by_texts_with_white_space_at_the_ends_aside(tmp_path: Path) -> None:
    rows = [
        {"instruction": " Translate.", "input": "Gute Nacht\n", "output": "Good night"},
        {"instruction": "Translate.", "input": "Guten Tag", "output": "Good day"},
        {"instruction": "Name a colour.", "input": None, "output": "Red"},
    ]
    found = match_outputs(read_outputs(write(tmp_path / "o.jsonl", rows)), ITEMS)
    assert texts(found) == {"q1": "Red", "q2": "Good day", "q3": "Good night"}


def test_alpaca_eval_list_has_the_input_behind_the_instruction(tmp_path: Path) -> None:
    rows = [
        {
            "instruction": "Translate.\n\nGute Nacht",
            "output": "Good night",
            "generator": "gpt4",
            "dataset": "x",
        },
        {"instruction": "Translate.\n\nGuten Tag", "output": "Good day", "generator": "gpt4"},
        {"instruction": "Name a colour.", "output": "Red", "generator": "gpt4"},
    ]
    path = tmp_path / "model_outputs.json"
    path.write_text(json.dumps(rows, indent=2))
    outputs = read_outputs(path)
    assert outputs.model == "gpt4"
    assert texts(match_outputs(outputs, ITEMS)) == {"q1": "Red", "q2": "Good day", "q3": "Good night"}


def test_other_sets_of_an_alpaca_eval_list_are_passed_over_as_a_whole(tmp_path: Path) -> None:
    def row(instruction: str, dataset: str) -> dict[str, str]:
        return {"instruction": instruction, "output": "x", "generator": "gpt4", "dataset": dataset}

    own = [
        row("Name a colour.", "ours"),
        row("Translate.\n\nGuten Tag", "ours"),
        row("Translate.\n\nGute Nacht", "ours"),
    ]
    others = [row("How many stars?", "vicuna"), row("Hi", "koala")]
    found = match_outputs(read_outputs(write(tmp_path / "o.json", [*others, *own])), ITEMS)
    assert list(found) == ["q1", "q2", "q3"]
    # Within the set that fits, a row that fits no item is an error; so it is where no set fits.
    path = write(tmp_path / "p.json", [*own, row("Hello", "ours"), *others])
    assert error_of(path).what == f"outputs for items that the scenario does not have: {path}:4"
    path = write(tmp_path / "q.json", others)
    assert error_of(path).what == f"outputs for items that the scenario does not have: {path}:1, {path}:2"
    # A row with an id, or without a generator, is no row of such a list.
    path = write(tmp_path / "r.json", [*own, {"id": "q9", "output": "x", "dataset": "koala"}])
    assert error_of(path).what.endswith("does not have: q9")


def test_every_problem_is_reported(tmp_path: Path) -> None:
    rows = [{"id": "q1", "output": "x"}, {"id": "q1", "output": "y"}, {"id": "q2"}, {"id": "q9", "output": "z"}]
    path = write(tmp_path / "o.jsonl", rows)
    problems: list[SuiteError] = []
    found = match_outputs(read_outputs(path), ITEMS, report=problems.append)
    assert list(found) == ["q1"]
    assert [one.what for one in problems] == [
        "the id 'q1' stands twice",
        "'output' is missing or not text",
        "outputs for items that the scenario does not have: q9",
        "no output for: q2, q3",
    ]


def test_a_cards_own_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "o.jsonl", [{"meta": {"nr": "q1"}, "choices": [{"text": "Red"}]}])
    outputs = OutputsFile(path, "m", OutputColumns(id="meta.nr", output="choices.0.text"))
    assert texts(match_outputs(outputs, ITEMS[:1])) == {"q1": "Red"}


def test_the_first_ten_unknown_ids_are_named(tmp_path: Path) -> None:
    rows = [{"id": item.id, "output": "x"} for item in ITEMS]
    rows += [{"id": f"u{n}", "output": "x"} for n in range(12)]
    error = error_of(write(tmp_path / "o.jsonl", rows))
    named = ", ".join(f"u{n}" for n in range(10))
    assert error.what == f"outputs for items that the scenario does not have: {named} and 2 more"
    assert error.where == str(tmp_path / "o.jsonl")
    assert "never on position" in str(error.next_step)


def test_texts_that_fit_no_item_are_named_by_their_line(tmp_path: Path) -> None:
    path = write(tmp_path / "o.jsonl", [{"instruction": "Name a colour?", "output": "x"}, {"output": "y"}])
    assert error_of(path).what.endswith(f"does not have: {path}:1, {path}:2")


def test_missing_ids_are_named(tmp_path: Path) -> None:
    error = error_of(write(tmp_path / "o.jsonl", [{"id": "q2", "output": "x"}]))
    assert error.what == "no output for: q1, q3"
    many = [Instruction(f"m{n}", "x") for n in range(11)]
    error = error_of(write(tmp_path / "p.jsonl", [{"id": "m10", "output": "x"}]), many)
    assert error.what == f"no output for: {', '.join(f'm{n}' for n in range(10))}"


@pytest.mark.parametrize("second", [{"id": "q1", "output": "y"}, {"instruction": "Name a colour.", "output": "y"}])
def test_an_id_that_stands_twice_is_named(tmp_path: Path, second: dict[str, str]) -> None:
    path = write(tmp_path / "o.jsonl", [{"id": "q1", "output": "x"}, second])
    error = error_of(path)
    assert (error.where, error.what) == (f"{path}:2", "the id 'q1' stands twice")


def test_texts_that_two_items_share_are_refused(tmp_path: Path) -> None:
    twins = [Instruction("a", "Say x."), Instruction("b", "Say x.")]
    path = write(tmp_path / "o.jsonl", [{"instruction": "Say x.", "output": "x"}] * 2)
    error = error_of(path, twins)
    assert (error.where, error.what) == (f"{path}:1", "fits several items by its texts (a, b)")
    by_id = write(tmp_path / "p.jsonl", [{"id": name, "output": name} for name in "ba"])
    assert texts(match_outputs(read_outputs(by_id), twins)) == {"a": "a", "b": "b"}


@pytest.mark.parametrize("row", [{"id": "q1"}, {"id": "q1", "output": None}, {"id": "q1", "output": ["x"]}])
def test_an_output_that_is_no_text_is_named(tmp_path: Path, row: dict[str, Any]) -> None:
    path = write(tmp_path / "o.jsonl", [row])
    error = error_of(path)
    assert (error.where, error.what) == (f"{path}:1", "'output' is missing or not text")


def test_an_empty_output_is_an_output(tmp_path: Path) -> None:
    path = write(tmp_path / "o.jsonl", [{"id": "q1", "output": ""}])
    assert texts(match_outputs(read_outputs(path), ITEMS[:1])) == {"q1": ""}


def test_part_of_the_items_out_of_all(tmp_path: Path) -> None:
    path = write(tmp_path / "o.jsonl", [{"id": item.id, "output": item.id} for item in ITEMS])
    outputs = read_outputs(path)
    assert texts(match_outputs(outputs, ITEMS[1:2], ITEMS)) == {"q2": "q2"}
    with pytest.raises(SuiteError, match="does not have: q1, q3"):
        match_outputs(outputs, ITEMS[1:2])


def test_whose_outputs_they_are(tmp_path: Path) -> None:
    plain = write(tmp_path / "alpaca-7b.jsonl", [{"id": "q1", "output": "x"}])
    assert read_outputs(plain).model == "alpaca-7b"
    assert read_outputs(plain, "mine").model == "mine"
    mixed = write(tmp_path / "o.jsonl", [{"id": "1", "model": "b"}, {"id": "2", "generator": "a"}])
    with pytest.raises(SuiteError, match=r"holds outputs of several models \(a, b\)"):
        read_outputs(mixed)
    assert read_outputs(mixed, "mine").model == "mine"


def test_an_empty_or_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"empty\.jsonl: holds no outputs"):
        read_outputs(write(tmp_path / "empty.jsonl", []))
    with pytest.raises(SuiteError, match=r"missing\.jsonl: cannot be read"):
        read_outputs(tmp_path / "missing.jsonl")


def test_hash_is_that_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "o.jsonl", [{"id": "q1", "output": "x"}])
    assert outputs_hash(read_outputs(path)) == sha256_text('{"id": "q1", "output": "x"}\n')


@settings(deadline=None)
@given(order=st.permutations(range(6)))
def test_the_order_of_rows_means_nothing(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    items = [Instruction(f"i{n}", f"Say {n}.", str(n % 2)) for n in range(6)]
    rows = [
        {"id": items[n].id, "output": f"o{n}"}
        if n < 3
        else {"instruction": items[n].instruction, "input": items[n].input, "output": f"o{n}"}
        for n in order
    ]
    path = write(tmp_path_factory.mktemp("outputs") / "o.jsonl", rows)
    assert texts(match_outputs(read_outputs(path), items)) == {f"i{n}": f"o{n}" for n in range(6)}
