"""One pair, one question to a judge, one verdict: the prompt, its blinding, the strict reading of the reply.

The judge sees "A" and "B", never a model's name. What it must end with carries a label made from both texts,
so that an answer which holds a verdict of this form cannot know the label and cannot plant one.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast

from alpaca_eval_suite.files import read_text, sha256_text
from alpaca_eval_suite.prompts import chat_message, fill
from alpaca_eval_suite.resources import resource_dir
from alpaca_eval_suite.types import Comparison, Order

Choice = Literal["A", "B", "TIE"]

_LABEL_DIGITS = 12
_THOUGHT, _END_OF_THOUGHT = "<think>", "</think>"
_LONGEST_REASON = 600


class VerdictError(ValueError):
    """The judge's reply holds no verdict that can be read; the message says why."""


@dataclass(frozen=True)
class JudgePrompt:
    """The question to the judge, and the label that its verdict must carry."""

    text: str
    label: str


@dataclass(frozen=True)
class Ruling:
    """A reply that was read: which answer, and the judge's words before the verdict."""

    choice: Choice
    reason: str


@lru_cache(maxsize=1)
def template() -> str:
    """The text of the question, with {label}, {request}, {answer_a} and {answer_b} to be filled in."""
    return read_text(resource_dir("run_specs") / "judges" / "pairwise.txt")


def template_hash() -> str:
    """SHA-256 of the template, part of what identifies a judge."""
    return sha256_text(template())


def pairwise_prompt(comparison: Comparison, order: Order, seed: int = 0) -> JudgePrompt:
    """The question about one pair, the model's output as A when `order` is `model_first`, else as B.

    The same pair, order and seed give the same bytes, so that a paid-for reply is found in a cache. `single`
    shows the model's output first. Half of a surrogate pair, which no request can carry, becomes "?".
    """
    first, second = _sendable(comparison.output), _sendable(comparison.baseline_output)
    if order == "baseline_first":
        first, second = second, first
    request = _sendable(chat_message(comparison.instruction.instruction, comparison.instruction.input))
    label = sha256_text("\0".join([str(seed), request, first, second]))[:_LABEL_DIGITS]
    text = fill(template(), label=label, request=request, answer_a=first, answer_b=second)
    return JudgePrompt(text, label)


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def read_ruling(reply: str, label: str) -> Ruling:
    """Read the verdict from the last line that is not blank; nothing else in the reply is ever read as one.

    Thoughts up to </think> are left out; marks of emphasis in the line are allowed. Raises VerdictError
    when there is no verdict, a wrong label, two verdicts that differ, or thoughts that do not end.
    """
    answer = reply.rpartition(_END_OF_THOUGHT)[2].strip()
    if not answer:
        raise VerdictError("the judge said nothing")
    if answer.startswith(_THOUGHT):
        raise VerdictError("the judge's thoughts were cut off before a verdict")
    body, _, last = answer.rpartition("\n")
    # ASCII, because without it IGNORECASE takes the Turkish i's for an I.
    pattern = re.compile(rf"VERDICT-{re.escape(label)}: *(A|B|TIE)\b", re.IGNORECASE | re.ASCII)
    match = pattern.fullmatch(_without_emphasis(last))
    if match is None:
        raise VerdictError(f"the last line is no verdict of the form asked for: {last.strip()[:80]!r}")
    choice = match[1].upper()
    if any(other.upper() != choice for other in pattern.findall(_without_emphasis(body))):
        raise VerdictError("the judge gave two verdicts that differ")
    return Ruling(cast(Choice, choice), body.strip()[:_LONGEST_REASON])


def _without_emphasis(text: str) -> str:
    return re.sub(r"[*_`]", "", text).strip()


def win_of(choice: Choice, order: Order) -> float:
    """The verdict as the model's win: 1, 0 or 0.5. The model is B in `baseline_first` only."""
    if choice == "TIE":
        return 0.5
    return float((choice == "A") != (order == "baseline_first"))
