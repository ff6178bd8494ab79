"""One pair, one question to a judge, one verdict: the prompt, its blinding, the strict reading of the reply.

The judge sees "A" and "B", never a model's name. What it must end with carries a label made from both texts,
so that an answer which holds a verdict of this form cannot know the label and cannot plant one.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast, get_args

from alpaca_eval_suite.files import read_text, sha256_text
from alpaca_eval_suite.judge.reply import JudgePrompt, label_of, read_last_line, sendable
from alpaca_eval_suite.prompts import chat_message, fill
from alpaca_eval_suite.resources import resource_dir
from alpaca_eval_suite.types import Comparison, Order

Choice = Literal["A", "B", "TIE"]


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
    first, second = sendable(comparison.output), sendable(comparison.baseline_output)
    if order == "baseline_first":
        first, second = second, first
    request = sendable(chat_message(comparison.instruction.instruction, comparison.instruction.input))
    label = label_of(seed, request, first, second)
    text = fill(template(), label=label, request=request, answer_a=first, answer_b=second)
    return JudgePrompt(text, label)


def read_ruling(reply: str, label: str) -> Ruling:
    """Read the verdict, A, B or TIE, from the last line that is not blank; see `read_last_line`, also for errors."""
    choice, reason = read_last_line(reply, f"VERDICT-{label}", get_args(Choice))
    return Ruling(cast(Choice, choice), reason)


def win_of(choice: Choice, order: Order) -> float:
    """The verdict as the model's win: 1, 0 or 0.5. The model is B in `baseline_first` only."""
    if choice == "TIE":
        return 0.5
    return float((choice == "A") != (order == "baseline_first"))
