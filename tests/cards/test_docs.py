"""docs/scenarios.md is right: it explains every key of a card, and its worked example runs as printed."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from alpaca_eval_suite.cards import (
    Baseline,
    Card,
    Columns,
    Decoding,
    baseline_outputs,
    load_card,
    load_instructions,
    match_outputs,
    read_outputs,
)
from alpaca_eval_suite.cards.card import DataFile, OutputColumns
from alpaca_eval_suite.judge.builtin import judge_by_checks
from alpaca_eval_suite.judge.checks import parse_checks
from alpaca_eval_suite.types import Comparison

TEXT = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text("utf-8")


def block(language: str, number: int) -> str:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)[number]


@pytest.mark.parametrize("model", [Card, DataFile, Columns, Decoding, Baseline, OutputColumns])
def test_every_key_of_a_card_is_explained(model: type[BaseModel]) -> None:
    assert [name for name in model.model_fields if f"`{name}`" not in TEXT] == []


def test_the_worked_example_runs(tmp_path: Path) -> None:
    folder = tmp_path / "scenarios" / yaml.safe_load(block("yaml", 0))["name"]
    folder.mkdir(parents=True)
    (folder / "card.yaml").write_text(block("yaml", 0))
    (folder / "data.jsonl").write_text(block("json", 0))
    (folder / "baseline.jsonl").write_text(block("json", 1))
    card = load_card("postcards")
    items = load_instructions(card)
    assert [(item.id, item.input, dict(item.slices)) for item in items] == [
        ("p1", "Lisbon", {"tone": "warm"}),
        ("p2", "", {"tone": "dry"}),
    ]
    assert card.baseline is not None
    theirs = match_outputs(baseline_outputs(card, card.baseline), items)
    for item in items:
        verdict = judge_by_checks(parse_checks(item.key["checks"]), Comparison(item, theirs[item.id].output, ""))
        assert verdict.reason == "model passes 2 of 2 checks, baseline 0"


def test_the_printed_files_of_outputs_are_read(tmp_path: Path) -> None:
    for number in (2, 3):
        path = tmp_path / f"outputs{number}.json"
        path.write_text(block("json", number))
        assert read_outputs(path).model == "my-model"
