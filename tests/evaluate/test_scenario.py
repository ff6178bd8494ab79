"""What HELM is given to ask: bytes, ids, and the item itself for whoever scores the answer."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.evaluate.scenario import AlpacaScenario, instruction_of

WriteScenario = Callable[..., Path]

# Published with Stanford Alpaca (Taori et al. 2023), written out here once more.
WITHOUT_INPUT = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\nName colour number 0.\n\n### Response:"
)
WITH_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\nName colour number 1.\n\n### Input:\nNot {black}.\n\n### Response:"
)


def test_alpaca_prompt_to_the_byte(write_scenario: WriteScenario) -> None:
    write_scenario(2)
    first, second = AlpacaScenario("trial").get_instances("unused")
    assert first.input.text == WITHOUT_INPUT
    assert second.input.text == WITH_INPUT
    assert first.input.messages is None


def test_chat_is_one_user_message(write_scenario: WriteScenario) -> None:
    write_scenario(2)
    first, second = AlpacaScenario("trial", "chat").get_instances("unused")
    assert first.input.messages == [{"role": "user", "content": "Name colour number 0."}]
    assert second.input.messages == [{"role": "user", "content": "Name colour number 1.\n\nNot {black}."}]
    assert second.input.text == "Name colour number 1.\n\nNot {black}."


@pytest.mark.parametrize("prompt_format", ["alpaca", "chat"])
def test_helms_adapter_sends_exactly_these_bytes(
    helm: Any, write_scenario: WriteScenario, make_checkpoint: Callable[..., Path], prompt_format: str
) -> None:
    from helm.benchmark.adaptation.adapters.adapter_factory import AdapterFactory

    from alpaca_eval_suite.evaluate.run_specs import make_run_spec

    write_scenario(2, decoding={"max_tokens": 7, "temperature": 0.5, "stop": ["###"]})
    spec = make_run_spec("trial", prompt_format=prompt_format)
    adapter_spec = replace(spec.adapter_spec, model="x/tiny", model_deployment=f"alpaca/{make_checkpoint('x/tiny')}")
    instances = AlpacaScenario("trial", prompt_format).get_instances("unused")  # type: ignore[arg-type]
    adapter = AdapterFactory.get_adapter(adapter_spec, _NoTokenizer())
    requests = [state.request for state in adapter.adapt(instances, parallelism=1)]
    if prompt_format == "alpaca":
        assert [request.prompt for request in requests] == [WITHOUT_INPUT, WITH_INPUT]
    else:
        assert [request.messages for request in requests] == [instance.input.messages for instance in instances]
    request = requests[0]
    assert (request.max_tokens, request.temperature, request.stop_sequences) == (7, 0.5, ["###"])
    assert (request.num_completions, request.top_p, request.presence_penalty) == (1, 1, 0)


class _NoTokenizer:
    """HELM cuts prompts to a window of its own where it knows one; ours goes to the model as it is."""


def test_instances_carry_the_item(write_scenario: WriteScenario) -> None:
    write_scenario(3)
    items = load_instructions(load_card("trial"))
    instances = AlpacaScenario("trial").get_instances("unused")
    assert [instance.id for instance in instances] == ["t0", "t1", "t2"]
    assert {instance.split for instance in instances} == {"test"}
    assert [instruction_of(instance) for instance in instances] == items


def test_reference_is_helms_correct_answer(write_scenario: WriteScenario) -> None:
    items = [{"id": "a", "instruction": "2 + 2?", "answer": "4"}, {"id": "b", "instruction": "Hm?"}]
    write_scenario(items=items, columns={"reference": "answer"}, baseline=None)
    first, second = AlpacaScenario("trial").get_instances("unused")
    assert [(reference.output.text, reference.tags) for reference in first.references] == [("4", ["correct"])]
    assert second.references == []
