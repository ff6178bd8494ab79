"""A reasoning model and an adapter through helm-run: what the record, HELM's files and stderr say of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.prompts import prompt_hash

WriteScenario = Callable[..., Path]
MakeCheckpoint = Callable[..., Path]

THINKING_TEMPLATE = "{{ messages[0]['content'] }}{% if add_generation_prompt %}<think>\n{% endif %}"


def test_a_model_that_never_ends_its_thought_answers_nothing(
    place: Any, write_scenario: WriteScenario, make_checkpoint: MakeCheckpoint
) -> None:
    write_scenario(4)
    folder = make_checkpoint("work/models/tiny")
    (folder / "chat_template.jinja").write_text(THINKING_TEMPLATE)
    (folder / "training_prompt.json").write_text(json.dumps({"format": "alpaca", "sha256": prompt_hash("alpaca")}))
    done = place.eval(folder, "--prompt-format", "chat", "--thinking-tokens", "7")
    assert done.returncode == 0, done.stderr
    assert "WARNING: tiny was trained with another prompt than this run's: alpaca" in done.stderr
    run = place.the_run()
    assert run.record.numbers["mean_length"] == 0
    assert (run.record.decoding.max_tokens, run.record.decoding.thinking_tokens) == (16, 7)
    assert run.record.prompt.mismatch is True
    state = json.loads((run.folder / "scenario_state.json").read_text("utf-8"))
    reasons = []
    for request in state["request_states"]:
        [completion] = request["result"]["completions"]
        assert completion["text"] == ""
        assert completion["thinking"]["text"]
        reasons.append(completion["finish_reason"]["reason"])
    # A random model may also end by itself within its thought: no answer either, but it was not cut off.
    assert set(reasons) <= {"thinking", "endoftext"}
    rates = {name: run.record.rates[name].value for name in ("empty", "cut_off", "cut_off_thinking")}
    assert rates == {"empty": 1, "cut_off": 0, "cut_off_thinking": reasons.count("thinking") / 4}
    assert reasons.count("thinking") >= 2
    shown = json.loads((run.folder / "display_predictions.json").read_text("utf-8"))
    assert all(prediction["thinking_text"] for prediction in shown)
    table = (place.folder / "results" / "leaderboard.md").read_text("utf-8")
    assert "† Asked with another prompt than in training" in table
    assert "cut off while thinking, and hold no answer" in table


@pytest.mark.parametrize("trained", [False, True])
def test_an_adapter_is_evaluated_or_refused_with_a_reason(
    place: Any, write_scenario: WriteScenario, make_checkpoint: MakeCheckpoint, trained: bool
) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    write_scenario(2)
    base = make_checkpoint("work/models/base")
    wrapped = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(target_modules=["q_proj"]))
    if trained:
        for name, parameter in wrapped.named_parameters():
            if "lora_B" in name:
                parameter.data.fill_(0.5)
    adapter = base.parent / "adapter"
    wrapped.save_pretrained(adapter)
    done = place.eval(adapter)
    if trained:
        assert done.returncode == 0, done.stderr
        assert place.the_run().record.model.name == "adapter"
    else:
        assert done.returncode == 1
        assert "the adapter changes no logits of its base model in float32" in done.stderr
        assert "Traceback" not in done.stderr
