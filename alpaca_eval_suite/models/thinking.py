"""Reasoning models write `<think>...</think>` before they answer: where the thought ends, and what is left of it.

The one place that tells thought and answer apart, in texts of every source: local checkpoints, servers, files.
"""

from dataclasses import dataclass
from typing import Literal

OPEN, CLOSE = "<think>", "</think>"

ThinkingMode = Literal["strip", "keep"]
"""Whether a thought is taken out of what is judged, or is part of it."""

Stage = Literal["undecided", "thinking", "answering"]
"""Where a text that is still being written stands."""


@dataclass(frozen=True)
class Parts:
    """A model's text: its thought without the marks ("" where there is none) and its answer.

    `unfinished`: the thought never ended, so that there is no answer.
    """

    thought: str
    answer: str
    unfinished: bool = False


def split_thought(text: str) -> Parts:
    """Split a whole text. Without an opening mark at its start a closing one is enough: chat templates may put the
    opening mark into the prompt. Text without any mark is all answer, as it is."""
    body = text.lstrip()
    opened = body.startswith(OPEN)
    if not opened and CLOSE not in body:
        return Parts("", text)
    thought, closed, answer = body.removeprefix(OPEN).partition(CLOSE)
    return Parts(thought.strip(), answer.lstrip(), unfinished=not closed)


def opens_thought(prompt: str) -> bool:
    """Whether the prompt ends with the opening mark, so that the text after it begins inside a thought."""
    return prompt.rstrip().endswith(OPEN)


def stage_of(text: str) -> Stage:
    """Where a text stands so far; one that may still become the opening mark is undecided."""
    body = text.lstrip()
    if body.startswith(OPEN):
        return "answering" if CLOSE in body else "thinking"
    return "undecided" if OPEN.startswith(body) else "answering"
