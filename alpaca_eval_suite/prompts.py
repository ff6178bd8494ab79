"""The Alpaca prompt, once: training, evaluation and serving use these bytes (Taori et al. 2023)."""

from typing import Literal, get_args

PromptFormat = Literal["alpaca", "chat"]
"""`alpaca`: the Alpaca prompt as plain text. `chat`: one user message in the model's own chat template."""

PROMPT_FORMATS: tuple[str, ...] = get_args(PromptFormat)

ALPACA_WITH_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:"
)
ALPACA_WITHOUT_INPUT = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:"
)


def alpaca_prompt(instruction: str, input: str = "") -> str:
    """The prompt that Alpaca was trained with; the form without input where `input` is empty.

    Both texts are put in as they are, so braces in them are not interpreted.
    """
    if input:
        return _fill(ALPACA_WITH_INPUT, instruction=instruction, input=input)
    return _fill(ALPACA_WITHOUT_INPUT, instruction=instruction)


def chat_message(instruction: str, input: str = "") -> str:
    """The one user message that a chat model gets: the instruction, then the input after an empty line."""
    return f"{instruction}\n\n{input}" if input else instruction


def _fill(template: str, **values: str) -> str:
    # One pass over the template, so that a value holding "{input}" is not filled in turn.
    parts = []
    rest = template
    for name, value in values.items():
        before, rest = rest.split("{" + name + "}")
        parts += [before, value]
    return "".join([*parts, rest])
