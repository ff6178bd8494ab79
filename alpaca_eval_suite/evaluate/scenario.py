"""HELM's view of a scenario: one Instance an item, the item itself in `extra_data`."""

from typing import Any, ClassVar

from helm.benchmark.scenarios.scenario import CORRECT_TAG, TEST_SPLIT, Input, Instance, Output, Reference, Scenario

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.prompts import PromptFormat, alpaca_prompt, chat_message
from alpaca_eval_suite.types import Instruction


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
            },
        )

    def _input(self, item: Instruction) -> Input:
        if self.prompt_format == "alpaca":
            return Input(text=alpaca_prompt(item.instruction, item.input))
        message = chat_message(item.instruction, item.input)
        # HELM's pages show `text`; its chat adapter sends `messages`.
        return Input(text=message, messages=[{"role": "user", "content": message}])


def instruction_of(instance: Any) -> Instruction:
    """The item that an Instance was made from."""
    extra = instance.extra_data or {}
    return Instruction(
        id=str(instance.id),
        instruction=extra["instruction"],
        input=extra["input"],
        slices=extra["slices"],
        key=extra["key"],
    )
