"""Items of several turns: what a model is sent, what HELM shows, and where they are refused."""

import json
from pathlib import Path

import pytest

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.evaluate.scenario import AlpacaScenario, instruction_of
from alpaca_eval_suite.evaluate.settings import make_settings
from alpaca_eval_suite.prompts import PROMPT_FORMATS

NAME = "mt_bench_style"


def test_a_model_is_sent_all_turns_and_answers_the_last() -> None:
    item = load_instructions(load_card(NAME))[0]
    instance = AlpacaScenario(NAME, "chat").get_instances("unused")[0]
    first, second, third = instance.input.messages
    assert [turn["role"] for turn in (first, second, third)] == ["user", "assistant", "user"]
    assert (third["content"], second["content"]) == (item.instruction, item.earlier[1].content)
    # HELM's pages show one text.
    assert [part in instance.input.text for part in (first["content"], second["content"], third["content"])] == [
        True
    ] * 3


def test_the_item_comes_back_from_what_helm_stores() -> None:
    items = load_instructions(load_card(NAME))
    instances = AlpacaScenario(NAME, "chat").get_instances("unused")
    assert [instruction_of(instance) for instance in instances] == items
    assert json.loads(json.dumps(instances[0].extra_data))["earlier"][1]["role"] == "assistant"


def test_items_of_one_turn_are_stored_as_before() -> None:
    instance = AlpacaScenario("user_oriented_mini", "chat").get_instances("unused")[0]
    assert set(instance.extra_data) == {"instruction", "input", "slices", "key"}


def test_the_alpaca_prompt_is_refused_before_anything_is_generated() -> None:
    with pytest.raises(UsageError, match="the items of mt_bench_style are conversations") as error:
        make_settings(scenario=NAME)
    assert "prompt_format=chat" in str(error.value.next_step)
    assert make_settings(scenario=NAME, prompt_format="chat").judge == "none"
    assert set(PROMPT_FORMATS) == {"alpaca", "chat"}


def test_with_a_baseline_the_checks_judge(tmp_path: Path) -> None:
    outputs = tmp_path / "references.jsonl"
    items = load_instructions(load_card(NAME))
    outputs.write_text("".join(json.dumps({"id": i.id, "output": i.reference, "model": "us"}) + "\n" for i in items))
    settings = make_settings(scenario=NAME, prompt_format="chat", baseline=str(outputs))
    assert settings.judge == "builtin:checks"
