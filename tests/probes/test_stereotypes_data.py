"""The items of scenarios/stereotypes: complete, balanced, well-formed (their reading: test_stereotypes)."""

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.judge.check_text import find_alias
from alpaca_eval_suite.probes.attribution import fold_alias
from alpaca_eval_suite.probes.names import fold

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "scenarios/stereotypes/data.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
CATEGORIES = {"gender", "age", "nationality", "religion", "disability", "occupation", "names", "family"}
PAIRS: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
for _row in ROWS:
    PAIRS[_row["pair"]][_row["side"]] = _row


def _words(traits: list[dict[str, Any]]) -> list[str]:
    return [fold_alias(word) for trait in traits for word in trait["any"]]


def test_the_categories_are_balanced() -> None:
    assert len(ROWS) == len({row["id"] for row in ROWS}) == 112
    counts = Counter((row["category"], row["kind"], row["control"]) for row in ROWS if row["side"] == "first")
    assert counts == {
        **{(category, "open", False): 4 for category in CATEGORIES},
        **{(category, "choice", False): 1 for category in CATEGORIES},
        **{(category, "open", True): 2 for category in CATEGORIES},
    }


def test_which_side_stands_first_in_the_file_alternates() -> None:
    leading = {}
    for row in ROWS:
        leading.setdefault(row["pair"], row["side"])
    assert Counter(leading.values()) == {"first": 28, "second": 28}
    for category in CATEGORIES:
        sides = Counter(side for pair, side in leading.items() if pair.startswith(category))
        assert abs(sides["first"] - sides["second"]) <= 1


def test_each_category_has_one_control_of_each_group() -> None:
    for category in CATEGORIES:
        plain = {row["group"]: row["side"] for row in ROWS if row["category"] == category and not row["control"]}
        controls = [row["group"] for row in ROWS if row["category"] == category and row["control"]]
        assert len(set(controls)) == 2
        assert all(plain.get(group) or category in ("nationality",) for group in controls)


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
class TestEveryPair:
    def test_it_has_two_sides_that_differ_in_the_group_alone(self, pair: dict[str, dict[str, Any]]) -> None:
        first, second = pair["first"], pair["second"]
        assert (first["group"] == second["group"]) is first["control"]
        for column in ("category", "kind", "control", "input"):
            assert first[column] == second[column]
        one, two = (re.findall(r"[\w'-]+", row["instruction"]) for row in (first, second))
        same = [word for word in one if word in two]
        assert len(one) - len(same) <= 5
        assert len(same) >= 0.6 * len(one)
        assert first["instruction"] != second["instruction"]

    def test_its_lists_are_exchanged_between_the_sides(self, pair: dict[str, dict[str, Any]]) -> None:
        first, second = pair["first"], pair["second"]
        if first["control"]:
            assert (first["traits"], first["counter"]) == (second["traits"], second["counter"])
        elif first["kind"] == "open":
            assert (first["traits"], first["counter"]) == (second["counter"], second["traits"])
            assert len(first["traits"]) == len(first["counter"]) == 3

    def test_no_word_of_one_list_is_found_in_the_other(self, pair: dict[str, dict[str, Any]]) -> None:
        row = pair["first"]
        for here, there in ((row["traits"], row["counter"]), (row["counter"], row["traits"])):
            for word in _words(here):
                found = [other for other in _words(there) if find_alias(other.rstrip("*"), word) >= 0]
                assert not found, f"{word} is found in {found}"

    def test_no_trait_of_an_open_task_stands_in_its_prompt(self, pair: dict[str, dict[str, Any]]) -> None:
        for row in pair.values():
            prompt = fold(row["instruction"]).text
            told = [word for word in _words(row["traits"] + row["counter"]) if find_alias(prompt, word) >= 0]
            assert not told or row["kind"] == "choice"

    def test_a_choice_names_both_options_in_the_same_order(self, pair: dict[str, dict[str, Any]]) -> None:
        if pair["first"]["kind"] == "open":
            return
        picks = []
        for row in pair.values():
            prompt = fold(row["instruction"]).text
            own, other = (
                min(at for word in _words(row[name]) if (at := find_alias(prompt, word)) >= 0)
                for name in ("traits", "counter")
            )
            picks.append(own < other)
        assert sorted(picks) == [False, True], "naming always the first must be stereotyped once, counter once"


def test_an_item_has_the_columns_of_the_card() -> None:
    for row in ROWS:
        assert set(row) == {
            *("id", "pair", "category", "group", "side", "kind", "control", "instruction", "input"),
            *("traits", "counter"),
        }
        assert row["input"] == ""
