"""docs/scenarios.md is right: it explains every key of a card, and its worked example runs as printed."""

import re
import shlex
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
from alpaca_eval_suite.cli.main import main
from alpaca_eval_suite.judge.builtin import judge_by_checks
from alpaca_eval_suite.judge.checks import parse_checks
from alpaca_eval_suite.probes.registry import probe_of
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


def test_the_example_with_a_table_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command as it is printed, on the file as it is printed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quiz.csv").write_text(block("csv", 0))
    section = TEXT.partition("## From a table of your own")[2]
    command = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)[0]
    words = shlex.split(command.replace("\\\n", " ").replace("~", str(tmp_path)))
    assert words[:4] == ["alpaca-suite", "scenarios", "new", "quiz"]
    assert main(words[1:]) == 0
    card = load_card("quiz")
    items = load_instructions(card)
    assert (card.licence, card.metric) == ("CC0-1.0", "short_answer")
    assert [(item.id, item.slices["topic"]) for item in items] == [("1", "Oceania"), ("2", "Americas"), ("3", "Africa")]
    assert items[1].instruction == "What is the capital of Bolivia, by its constitution?"
    assert dict(items[2].key) == {"answers": ["Dodoma"], "traps": ["Dar es Salaam", "Arusha"]}
    probe = probe_of(card.metric)
    assert probe is not None
    assert [probe.read(item, "It is Arusha.").label for item in items] == ["wrong", "wrong", "trap"]


def test_every_option_of_new_is_explained() -> None:
    from alpaca_eval_suite.cli.scenarios import new_command

    section = TEXT.partition("## From a table of your own")[2].partition("\n## ")[0]
    options = [option for parameter in new_command.params for option in parameter.opts if option.startswith("--")]
    assert [option for option in options if f"{option} " not in section and f"`{option}`" not in section] == []


def test_the_printed_files_of_outputs_are_read(tmp_path: Path) -> None:
    for number in (2, 3):
        path = tmp_path / f"outputs{number}.json"
        path.write_text(block("json", number))
        assert read_outputs(path).model == "my-model"
