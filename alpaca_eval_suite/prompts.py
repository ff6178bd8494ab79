"""The Alpaca prompt, once: training, evaluation and serving use these bytes (Taori et al. 2023)."""

import hashlib
import re
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
        return fill(ALPACA_WITH_INPUT, instruction=instruction, input=input)
    return fill(ALPACA_WITHOUT_INPUT, instruction=instruction)


def chat_message(instruction: str, input: str = "") -> str:
    """The one user message that a chat model gets: the instruction, then the input after an empty line."""
    return f"{instruction}\n\n{input}" if input else instruction


def instruction_id(instruction: str, input: str = "") -> str:
    """The id of an item that was given none: the first 16 hex digits of the SHA-256 of the instruction.

    An input stands behind it after an empty line, as AlpacaEval writes it. Half a surrogate pair counts as "?".
    """
    return hashlib.sha256(chat_message(instruction, input).encode("utf-8", "replace")).hexdigest()[:16]


def prompt_hash(prompt_format: PromptFormat) -> str:
    """What identifies the prompt's bytes: SHA-256 over the two Alpaca templates with a NUL between them, or over the
    words "chat template" (the template itself belongs to the model)."""
    texts = [ALPACA_WITH_INPUT, ALPACA_WITHOUT_INPUT] if prompt_format == "alpaca" else ["chat template"]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def fill(template: str, **values: str) -> str:
    """`template` with each {name} replaced by its value, however often it stands; other braces stay.

    One pass over the template, so that a value which holds "{input}" is not filled in turn.
    """
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), template)
