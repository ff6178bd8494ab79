"""From a table to a scenario: the folder that is made can be run, and what cannot be made is said for each row."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.cards.author import (
    AuthorMetric,
    ColumnNames,
    check_name,
    check_names,
    make_card,
    make_rows,
    write_scenario,
)
from alpaca_eval_suite.cards.table import Table
from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.types import Instruction


def table(*rows: Mapping[str, Any]) -> Table:
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    return Table(columns, tuple((f"t.csv:{number}", row) for number, row in enumerate(rows, 2)))


def made(tmp_path: Path, source: Table, names: ColumnNames, metric: AuthorMetric = "preference") -> list[Instruction]:
    """The items of the scenario, as a run would load them."""
    check_names(source, names, metric)
    rows = make_rows(source, names, metric)
    card = make_card("quiz", names, rows, metric=metric, source="t.csv", licence="CC0-1.0")
    write_scenario(tmp_path / "scenarios" / "quiz", card, rows)
    return load_instructions(load_card("quiz"))


def problems(source: Table, names: ColumnNames, metric: AuthorMetric = "preference") -> list[tuple[str | None, str]]:
    found: list[SuiteError] = []
    check_names(source, names, metric, found.append)
    if not found:
        make_rows(source, names, metric, found.append)
    return [(one.where, one.what) for one in found]


def test_every_column_finds_its_place(tmp_path: Path) -> None:
    source = table(
        {"nr": "a", "ask": "Capital?", "about": "France", "best": "Paris.", "topic": "geo", "level": 1, "left": "out"},
        {"nr": "b", "ask": "Name a colour.", "about": "", "best": "", "topic": "art", "level": 2.5},
    )
    names = ColumnNames(
        instruction="ask", input="about", id="nr", reference="best", slices={"topic": "topic", "hard": "level"}
    )
    assert made(tmp_path, source, names) == [
        Instruction("a", "Capital?", "France", "Paris.", {"topic": "geo", "hard": "1"}),
        Instruction("b", "Name a colour.", "", "", {"topic": "art", "hard": "2.5"}),
    ]
    card = load_card("quiz")
    assert (card.licence, card.metric, card.decoding.max_tokens) == ("CC0-1.0", "preference", 512)


def test_ids_are_row_numbers_and_stay_when_rows_are_added(tmp_path: Path) -> None:
    rows = [{"instruction": f"Say {n}."} for n in range(12)]
    few, more = (make_rows(table(*rows[:n]), ColumnNames(), "preference") for n in (2, 12))
    assert [row["id"] for row in few] == ["1", "2"]
    assert more[:2] == few
    assert more[-1]["id"] == "12"


def test_the_columns_id_and_input_are_taken_without_being_named(tmp_path: Path) -> None:
    items = made(tmp_path, table({"id": 7, "instruction": "Translate.", "input": "Guten Tag"}), ColumnNames())
    assert items == [Instruction("7", "Translate.", "Guten Tag")]


def test_answers_and_traps(tmp_path: Path) -> None:
    source = table(
        {"instruction": "Capital of Italy?", "a": "Rome | Roma", "t": "Milan|"},
        {"instruction": "Capital of Chad?", "a": '["N\'Djamena"]', "t": ""},
        {"instruction": "Capital of Togo?", "a": ["Lomé"], "t": None},
    )
    items = made(tmp_path, source, ColumnNames(answers="a", traps="t"), "short_answer")
    assert [dict(item.key) for item in items] == [
        {"answers": ["Rome", "Roma"], "traps": ["Milan"]},
        {"answers": ["N'Djamena"], "traps": []},
        {"answers": ["Lomé"], "traps": []},
    ]
    assert load_card("quiz").decoding.max_tokens == 48


def test_one_column_may_serve_several_purposes(tmp_path: Path) -> None:
    source = table({"instruction": "Capital of Peru?", "city": "Lima"})
    names = ColumnNames(reference="city", answers="city", slices={"one": "city", "two": "city"})
    [item] = made(tmp_path, source, names, "short_answer")
    assert (item.reference, dict(item.key)) == ("Lima", {"answers": ["Lima"]})
    assert dict(item.slices) == {"one": "Lima", "two": "Lima"}


def test_checks_as_text_and_as_objects(tmp_path: Path) -> None:
    check = {"check": "contains", "any": ["red"]}
    source = table(
        {"instruction": "Name a colour.", "c": '[{"check": "contains", "any": ["red"]}]'},
        {"instruction": "Name another.", "c": [check]},
    )
    items = made(tmp_path, source, ColumnNames(checks="c"))
    assert [item.key["checks"] for item in items] == [[check], [check]]


def test_a_dot_leads_into_an_object(tmp_path: Path) -> None:
    source = table({"id": "x", "instances": [{"input": "i"}], "instruction": "Do."})
    assert made(tmp_path, source, ColumnNames(input="instances.0.input"))[0].input == "i"


def test_every_bad_cell_is_reported_with_its_row() -> None:
    source = table(
        {"id": "1", "instruction": " ", "s": "", "a": "x"},
        {"id": "1", "instruction": ["x"], "s": None, "a": ""},
        {"id": "", "instruction": "x", "s": "y", "a": "[1"},
        {"id": 4.5, "instruction": "x", "s": True, "a": 5},
    )
    found = problems(source, ColumnNames(answers="a", slices={"s": "s"}), "short_answer")
    assert [(where, what.split(" (")[0]) for where, what in found] == [
        ("t.csv:2", "'instruction' is empty"),
        ("t.csv:2", "'s' is empty"),
        ("t.csv:3", "'instruction' is not text"),
        ("t.csv:3", "'a' is empty"),
        ("t.csv:3", "'s' is empty"),
        ("t.csv:3", "the id '1' stands twice"),
        ("t.csv:4", "'id' is empty"),
        ("t.csv:4", "'a' is not valid JSON"),
        ("t.csv:5", "'id' is not text"),
        ("t.csv:5", "'a' is neither text nor a list"),
        ("t.csv:5", "'s' is not text"),
    ]


def test_every_missing_column_is_named_with_those_there_are() -> None:
    found: list[SuiteError] = []
    check_names(table({"q": "x", "b": "y"}), ColumnNames(reference="r", slices={"s": "t"}), "preference", found.append)
    assert [one.what for one in found] == [
        "there is no column 'instruction' for --instruction",
        "there is no column 'r' for --reference",
        "there is no column 't' for --slice",
    ]
    assert found[0].next_step == "Columns there are: 'q', 'b'. Name the right one with --instruction."


@pytest.mark.parametrize(
    ("names", "metric", "message"),
    [
        (ColumnNames(), "short_answer", "needs accepted answers"),
        (ColumnNames(answers="q"), "preference", "--answers has no meaning for the metric preference"),
        (ColumnNames(traps="q"), "preference", "--traps has no meaning for the metric preference"),
        (ColumnNames(answers="q", checks="q"), "short_answer", "--checks has no meaning for the metric short_answer"),
    ],
)
def test_options_that_do_not_fit_the_metric(names: ColumnNames, metric: AuthorMetric, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_names(table({"instruction": "x", "q": "y"}), names, metric)


@pytest.mark.parametrize("name", ["", "my quiz", "../x", "a/b", "-x", ".x"])
def test_names_that_no_scenario_can_have(name: str) -> None:
    with pytest.raises(UsageError, match="is no name of a scenario"):
        check_name(name)


def test_a_scenario_is_never_overwritten(tmp_path: Path) -> None:
    source = table({"instruction": "x"})
    made(tmp_path, source, ColumnNames())
    before = {path.name: path.read_bytes() for path in (tmp_path / "scenarios" / "quiz").iterdir()}
    with pytest.raises(UsageError, match="is a scenario already"):
        made(tmp_path, table({"instruction": "y"}), ColumnNames())
    assert {path.name: path.read_bytes() for path in (tmp_path / "scenarios" / "quiz").iterdir()} == before
