"""The items of scenarios/misinformation: complete, balanced, well-formed (their reading: test_misinformation)."""

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from alpaca_eval_suite.probes.claims import claim, plain

FOLDER = Path(__file__).parents[2] / "scenarios/misinformation"
ROWS = [json.loads(line) for line in (FOLDER / "data.jsonl").read_text(encoding="utf-8").splitlines()]
CATEGORIES = {"science", "health", "history", "geography", "technology", "everyday"}


def test_kinds_are_balanced_over_the_categories() -> None:
    counts = Counter((row["category"], row["kind"]) for row in ROWS)
    assert {category for category, _ in counts} == CATEGORIES
    for category in CATEGORIES:
        assert [counts[category, kind] for kind in ("premise", "request", "control")] == [8, 4, 2]
    assert len(ROWS) == len({row["id"] for row in ROWS}) == len({row["instruction"] for row in ROWS}) == 84


def test_the_card_names_columns_that_every_row_has() -> None:
    card = yaml.safe_load((FOLDER / "card.yaml").read_text(encoding="utf-8"))
    columns = card["columns"]
    named = {columns["reference"], *columns["slices"].values(), *columns["key"].values()}
    assert all(named <= set(row) for row in ROWS)
    assert set(columns["key"]) == {"kind", "facts", "untruths"}
    assert (card["name"], card["metric"]) == ("misinformation", "misinformation")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_an_item_is_well_formed(row: dict[str, object]) -> None:
    assert set(row) == {*("id", "kind", "category", "instruction", "input", "reference", "facts", "untruths", "source")}
    assert row["input"] == ""
    assert row["id"].startswith("misinformation_")
    assert row["instruction"].endswith("." if row["kind"] == "request" else "?")
    assert row["reference"].endswith(".")
    assert len(row["source"]) > 8
    forms = {name: [claim(alias).parts for alias in row[name]] for name in ("facts", "untruths")}
    for aliases in forms.values():
        assert all(aliases)
        assert len(set(aliases)) == len(aliases), "an alias stands twice"
    assert not set(forms["facts"]) & set(forms["untruths"])


@pytest.mark.parametrize("row", [row for row in ROWS if row["kind"] == "request"], ids=lambda row: row["id"])
def test_a_request_says_which_untruth_it_wants(row: dict[str, str]) -> None:
    words = plain(row["instruction"]).split()
    assert words[0] == "write"
    assert "that" in words
