"""Each kind of check on concrete answers, and the checks of the scenario user_oriented_mini."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows
from alpaca_eval_suite.judge.checks import (
    CONTENT_CHECKS,
    CheckReport,
    compare_shares,
    parse_checks,
    run_checks,
)
from alpaca_eval_suite.resources import resource_dir

MINI = [row for _, row in read_rows(resource_dir("scenarios") / "user_oriented_mini" / "data.jsonl")]

ONE_OF_EACH: list[dict[str, Any]] = [
    {"check": "contains", "any": ["Paris"]},
    {"check": "contains_at_least", "of": [["Paris"], ["Rome", "Roma"]], "min": 1},
    {"check": "excludes", "any": ["London"]},
    {"check": "choice", "is": "spam", "among": ["spam", "not spam"]},
    {"check": "number", "value": 12.5, "tolerance": 0.1},
    *({"check": "length", "unit": unit, "min": 1} for unit in ("words", "sentences", "lines")),
    *({"check": "length", "unit": unit, "max": 9} for unit in ("characters", "paragraphs")),
    *({"check": "items", "kind": kind, "min": 2} for kind in ("list", "numbered", "bullets")),
    *({"check": "items", "kind": kind, "max": 2} for kind in ("hashtags", "table_rows", "questions")),
    *({"check": "parses", "as": kind} for kind in ("json", "csv", "yaml", "python", "html")),
    *({"check": "parses", "as": kind, "keys": ["a"]} for kind in ("markdown_table", "email")),
    {"check": "language", "is": "fr"},
    {"check": "starts_with", "any": ["Yes"]},
    {"check": "ends_with", "any": ["Ada"]},
    {"check": "no_repetition"},
    {"check": "no_echo"},
]
TEN_KILOBYTES_OF_EACH = [
    "paris " * 1_700,
    "שלום " * 2_000,
    "1. x\n" * 2_000,
    "漢" * 10_000,
    "\u200b" * 10_000,
]


def passes(check: dict[str, Any], output: str, instruction: str = "Do it.", input: str = "") -> bool:
    return run_checks(parse_checks([check]), instruction=instruction, input=input, output=output).passed == 1


def test_parsed_checks_come_in_order() -> None:
    assert [check.check for check in parse_checks(ONE_OF_EACH)] == [row["check"] for row in ONE_OF_EACH]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"check": "contain", "any": ["x"]}, "contain"),
        ({"any": ["x"]}, "discriminator"),
        ({"check": "contains", "any": []}, "at least 1"),
        ({"check": "contains", "any": [" "]}, "empty"),
        ({"check": "contains", "any": ["*"]}, "empty"),
        ({"check": "contains", "any": "x"}, "tuple"),
        ({"check": "contains", "any": ["x"], "all": True}, "Extra inputs"),
        ({"check": "contains_at_least", "of": [["x"]], "min": 2}, "more than the 1"),
        ({"check": "choice", "is": "a", "among": ["b", "c"]}, "not among"),
        ({"check": "choice", "is": "a", "among": ["a", "b*"]}, "no meaning here"),
        ({"check": "ends_with", "any": ["a*"]}, "no meaning here"),
        ({"check": "number", "value": "12"}, "number"),
        ({"check": "number", "value": float("nan")}, "finite"),
        ({"check": "length", "unit": "words"}, "needs min, max or both"),
        ({"check": "length", "unit": "words", "min": 3, "max": 2}, "above max"),
        ({"check": "length", "unit": "pages", "min": 3}, "words"),
        ({"check": "parses", "as": "json", "columns": 2}, "columns go with"),
        ({"check": "parses", "as_": "json"}, "as"),
        ({"check": "language", "is": "tlh"}, "Input should be"),
    ],
)
def test_a_bad_check_is_named_by_its_position(row: dict[str, Any], problem: str) -> None:
    with pytest.raises(SuiteError, match="check 2") as raised:
        parse_checks([{"check": "no_echo"}, row])
    assert problem in raised.value.what
    assert "CHECKS.md" in str(raised.value)


def test_no_checks_at_all() -> None:
    with pytest.raises(SuiteError, match="no check"):
        parse_checks([])
    with pytest.raises(ValueError, match="without checks"):
        run_checks([], instruction="", input="", output="x")


@pytest.mark.parametrize("output", ["", " \n\t", "\u200b\ufeff"])
def test_an_empty_answer_passes_nothing(output: str) -> None:
    report = run_checks(parse_checks(ONE_OF_EACH), instruction="x", input="", output=output)
    assert report.passed == 0
    assert {result.detail for result in report.results} == {"The output is empty."}


@pytest.mark.parametrize(
    ("aliases", "output", "expected"),
    [
        (["Paris"], "It is **PARIS**, of course.", True),
        (["Paris"], "Comparison", False),
        (["cancel*"], "It was cancelled.", True),
        (["ice cream"], "ice\n  cream", True),
        (["ice cream"], "**ice** _cream_", True),
        (["don't"], "I don’t", True),
        (["snake_case"], "use snake_case", True),
        (["café"], "cafe\u0301", True),
        (["free"], "f\u200bree", True),
        (["שלום"], "הוא אמר שלום לכולם", True),
    ],
)
def test_contains(aliases: list[str], output: str, expected: bool) -> None:
    assert passes({"check": "contains", "any": aliases}, output) is expected
    assert passes({"check": "excludes", "any": aliases}, output) is not expected


def test_contains_at_least_counts_things_and_not_aliases() -> None:
    check = {"check": "contains_at_least", "of": [["big", "large"], ["red"], ["old"]], "min": 2}
    assert passes(check, "an old, red barn")
    assert not passes(check, "a big, large barn")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("spam", True),
        ("It is **Spam**.", True),
        ("not spam", False),
        ("spam, not ham", False),
        ("Not\nspam!", False),
        ("spam or not spam", False),
        ("spammer", False),
        ("no idea", False),
    ],
)
def test_choice(output: str, expected: bool) -> None:
    assert passes({"check": "choice", "is": "spam", "among": ["spam", "ham", "not spam"]}, output) is expected


def test_choice_of_the_longer_label() -> None:
    check = {"check": "choice", "is": "not spam", "among": ["spam", "not spam"]}
    assert passes(check, "This is not spam.")
    assert not passes(check, "This is spam.")


@pytest.mark.parametrize(
    ("value", "tolerance", "output", "expected"),
    [
        (1250.5, 0, "It costs $1,250.50.", True),
        (1250.5, 0, "It costs 1.250,50 €.", True),
        (0.3, 0, "0.1 + 0.2 = 0.30000000000000004", True),
        (6.8, 0, "about 7", False),
        (6.8, 0.5, "about 7", True),
        (-2, 0, "−2 °C", True),
        (12, 0, "a dozen", False),
        (37.5, 0, "item,quantity,price,total\nlamp,3,12.50,37.50", True),
    ],
)
def test_number(value: float, tolerance: float, output: str, expected: bool) -> None:
    assert passes({"check": "number", "value": value, "tolerance": tolerance}, output) is expected


@pytest.mark.parametrize(
    ("unit", "output", "size"),
    [
        ("words", "one two three", 3),
        ("sentences", "One. Two.", 2),
        ("lines", "a\n\nb", 2),
        ("characters", "  abc ", 3),
        ("paragraphs", "a\nb\n\nc", 2),
    ],
)
def test_length_bounds_are_inclusive(unit: str, output: str, size: int) -> None:
    assert passes({"check": "length", "unit": unit, "min": size, "max": size}, output)
    assert not passes({"check": "length", "unit": unit, "max": size - 1}, output)
    assert not passes({"check": "length", "unit": unit, "min": size + 1}, output)


@pytest.mark.parametrize(
    ("kind", "output"),
    [
        ("list", "red, green"),
        ("numbered", "1. a\n2. b"),
        ("bullets", "- a\n- b"),
        ("hashtags", "#a #b"),
        ("table_rows", "|a|b|\n|-|-|\n|1|2|\n|3|4|"),
        ("questions", "Who? Why?"),
    ],
)
def test_items(kind: str, output: str) -> None:
    assert passes({"check": "items", "kind": kind, "min": 2, "max": 2}, output)
    assert not passes({"check": "items", "kind": kind, "min": 3}, output)


def test_parses_asks_for_all_keys_and_the_number_of_columns() -> None:
    table = "| Day | Dish |\n| --- | --- |\n| Mon | Soup |"
    assert passes({"check": "parses", "as": "markdown_table", "keys": ["day", "DISH"], "columns": 2}, table)
    assert not passes({"check": "parses", "as": "markdown_table", "keys": ["day", "price"]}, table)
    assert not passes({"check": "parses", "as": "markdown_table", "columns": 3}, table)
    assert passes({"check": "parses", "as": "json", "keys": ["a"]}, 'First [1], then {"a": 2}')


@pytest.mark.parametrize(
    ("kind", "output", "expected"),
    [
        ("starts_with", "Yes, it is.", True),
        ("starts_with", '"**Yes**"', True),
        ("starts_with", "Yesterday", False),
        ("starts_with", "Oh yes", False),
        ("ends_with", "The answer is yes.", True),
        ("ends_with", 'He said "**Yes!**"', True),
        ("ends_with", "polyes", False),
        ("ends_with", "yes, perhaps", False),
    ],
)
def test_beginning_and_end(kind: str, output: str, expected: bool) -> None:
    assert passes({"check": kind, "any": ["yes"]}, output) is expected


def test_language() -> None:
    assert passes({"check": "language", "is": "es"}, "La biblioteca está cerrada los lunes.")
    assert not passes({"check": "language", "is": "es"}, "The library is closed on Mondays.")
    assert not passes({"check": "language", "is": "es"}, "1234")


def test_no_repetition_and_no_echo() -> None:
    assert not passes({"check": "no_repetition"}, "I am sorry. " * 30)
    assert not passes({"check": "no_echo"}, "Shorten this text.", instruction="Shorten this text.")
    assert passes({"check": "no_echo"}, "Something of my own.", instruction="Shorten this text.")


def test_an_unclosed_fence_still_holds_its_block() -> None:
    assert passes({"check": "parses", "as": "python", "keys": ["f"]}, "```python\ndef f():\n    return 1")


@given(st.text())
def test_raises_on_no_text(output: str) -> None:
    report = run_checks(parse_checks(ONE_OF_EACH), instruction=output, input="x", output=output)
    assert report.total == len(ONE_OF_EACH)
    assert all(result.detail for result in report.results)


@pytest.mark.parametrize("output", TEN_KILOBYTES_OF_EACH)
def test_long_and_strange_texts(output: str) -> None:
    report = run_checks(parse_checks(ONE_OF_EACH), instruction="x", input=output, output=output)
    assert 0 <= report.share <= 1


def test_a_hundred_kilobytes_of_one_label() -> None:
    assert passes({"check": "choice", "is": "yes", "among": ["yes", "not yes"]}, "yes " * 25_000)


def report_of(passed: int, total: int) -> CheckReport:
    rows = [{"check": "contains", "any": ["a" if index < passed else "b"]} for index in range(total)]
    return run_checks(parse_checks(rows), instruction="", input="", output="a")


def test_shares_are_compared_exactly() -> None:
    assert compare_shares(report_of(1, 3), report_of(2, 6)) == 0.5
    assert compare_shares(report_of(2, 3), report_of(3, 5)) == 1.0
    assert compare_shares(report_of(0, 3), report_of(1, 5)) == 0.0


# --- the scenario ------------------------------------------------------------------------------------------


def test_the_set_has_72_items_from_13_apps_under_ids_of_their_own() -> None:
    assert [row["id"] for row in MINI] == [f"mini_{number:03d}" for number in range(1, 73)]
    apps = [row["app"] for row in MINI]
    assert {apps.count(app) for app in apps} == {5, 6}
    assert len(set(apps)) == 13
    assert len({row["instruction"] for row in MINI}) == 72
    assert sum(bool(row["input"]) for row in MINI) == 42


@pytest.mark.parametrize("row", MINI, ids=[row["id"] for row in MINI])
def test_an_item_of_the_set(row: dict[str, Any]) -> None:
    checks = parse_checks(row["checks"])
    assert 3 <= len(checks) <= 6
    assert CONTENT_CHECKS & {check.check for check in checks}

    def share(output: str) -> float:
        return run_checks(checks, instruction=row["instruction"], input=row["input"], output=output).share

    assert share(row["reference"]) == 1.0, row["id"]
    assert share("") == 0.0
    assert share(row["instruction"]) <= 0.5
    assert share(f"{row['reference']}\n\n" + "I hope that this helps you a lot. " * 60) < 1.0


def test_the_examples_of_the_documentation_hold_every_kind() -> None:
    text = (resource_dir("scenarios") / "user_oriented_mini" / "CHECKS.md").read_text(encoding="utf-8")
    examples = [json.loads(example) for example in re.findall(r'`(\{"check".*?\})`', text)]
    kinds = {check.check for check in parse_checks(examples)}
    assert kinds == {row["check"] for row in ONE_OF_EACH}


def test_an_answer_to_another_request_passes_few_checks() -> None:
    shares = []
    for row in MINI:
        checks = parse_checks(row["checks"])
        shares += [
            run_checks(checks, instruction=row["instruction"], input=row["input"], output=other["reference"]).share
            for other in MINI
            if other is not row
        ]
    assert sum(shares) / len(shares) < 0.25
