"""HELM's view of a scenario: one Instance an item, the item itself in `extra_data`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from helm.benchmark.scenarios.scenario import CORRECT_TAG, TEST_SPLIT, Input, Instance, Output, Reference, Scenario

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.prompts import PromptFormat, alpaca_prompt, chat_message
from alpaca_eval_suite.types import Instruction, Turn


class AlpacaScenario(Scenario):  # type: ignore[misc]
    """Any scenario that has a card, with the prompt in the form that the run asks for."""

    name = "alpaca_scenario"
    description = "Instructions described by a card.yaml"
    tags: ClassVar[list[str]] = []

    def __init__(self, scenario: str, prompt_format: PromptFormat = "alpaca") -> None:
        super().__init__()
        self.card = load_card(scenario)
        self.prompt_format = prompt_format
        self.name = f"alpaca_{scenario}"
        self.description = self.card.description

    def get_instances(self, output_path: str) -> list[Instance]:
        """All items, as test instances; `output_path` is not used, the suite has a cache of its own."""
        return [self._instance(item) for item in load_instructions(self.card)]

    def _instance(self, item: Instruction) -> Instance:
        reference = [Reference(Output(text=item.reference), tags=[CORRECT_TAG])] if item.reference else []
        return Instance(
            input=self._input(item),
            references=reference,
            split=TEST_SPLIT,
            id=item.id,
            extra_data={
                "instruction": item.instruction,
                "input": item.input,
                "slices": dict(item.slices),
                "key": dict(item.key),
                **({"earlier": [asdict(turn) for turn in item.earlier]} if item.earlier else {}),
            },
        )

    def _input(self, item: Instruction) -> Input:
        text = request_text(item, self.prompt_format)
        # HELM's pages show `text`; its chat adapter sends `messages`.
        if self.prompt_format != "chat":
            return Input(text=text)
        messages = [*(asdict(turn) for turn in item.earlier), {"role": "user", "content": text}]
        return Input(text=_conversation_text(messages) if item.earlier else text, messages=messages)


def _conversation_text(messages: Sequence[Mapping[str, str]]) -> str:
    return "\n\n".join(f"[{message['role']}]\n{message['content']}" for message in messages)


def request_text(item: Instruction, prompt_format: PromptFormat) -> str:
    """What a model is asked for `item`: the Alpaca prompt, or the last user message of a chat."""
    build = alpaca_prompt if prompt_format == "alpaca" else chat_message
    return build(item.instruction, item.input)


def instruction_of(instance: Any) -> Instruction:
    """The item that an Instance was made from."""
    extra = instance.extra_data or {}
    return Instruction(
        id=str(instance.id),
        instruction=extra["instruction"],
        input=extra["input"],
        reference=instance.references[0].output.text if instance.references else None,
        slices=extra["slices"],
        key=extra["key"],
        earlier=tuple(Turn(**turn) for turn in extra.get("earlier", ())),
    )
