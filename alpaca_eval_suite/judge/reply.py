"""What every question to a judge has in common: a label that no answer can know, and a verdict in the last line only.

The label is made from the texts to be judged, so that an answer which holds a verdict of the right form cannot
know it and cannot plant one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from alpaca_eval_suite.files import sha256_text

_LABEL_DIGITS = 12
_THOUGHT, _END_OF_THOUGHT = "<think>", "</think>"
_LONGEST_REASON = 600
# Marks of emphasis; an underscore within a word ("over_refused") is none.
_EMPHASIS = re.compile(r"[*`]|(?<![A-Za-z0-9])_+|_+(?![A-Za-z0-9])")


class VerdictError(ValueError):
    """The judge's reply holds no verdict that can be read; the message says why."""


@dataclass(frozen=True)
class JudgePrompt:
    """The question to the judge, and the label that its verdict must carry."""

    text: str
    label: str


def label_of(seed: int, *texts: str) -> str:
    """The label of a question about `texts`: the same texts and seed give the same one."""
    return sha256_text("\0".join([str(seed), *texts]))[:_LABEL_DIGITS]


def sendable(text: str) -> str:
    """`text` with "?" for each half of a surrogate pair, which no request can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def read_last_line(reply: str, mark: str, choices: Sequence[str]) -> tuple[str, str]:
    """The choice in the last line that is not blank, of the form "MARK: CHOICE", and the judge's words before it.

    Nothing else in the reply is ever read as a verdict. Thoughts up to </think> are left out; marks of emphasis and
    any case are allowed. Raises VerdictError when there is no verdict, a wrong mark, an unknown choice, two verdicts
    that differ, or thoughts that do not end.
    """
    answer = reply.rpartition(_END_OF_THOUGHT)[2].strip()
    if not answer:
        raise VerdictError("the judge said nothing")
    if answer.startswith(_THOUGHT):
        raise VerdictError("the judge's thoughts were cut off before a verdict")
    body, _, last = answer.rpartition("\n")
    # ASCII, because without it IGNORECASE takes the Turkish i's for an I.
    pattern = re.compile(rf"{re.escape(mark)}: *({'|'.join(map(re.escape, choices))})\b", re.IGNORECASE | re.ASCII)
    match = pattern.fullmatch(_without_emphasis(last))
    if match is None:
        raise VerdictError(f"the last line is no verdict of the form asked for: {last.strip()[:80]!r}")
    if any(other.casefold() != match[1].casefold() for other in pattern.findall(_without_emphasis(body))):
        raise VerdictError("the judge gave two verdicts that differ")
    choice = next(choice for choice in choices if choice.casefold() == match[1].casefold())
    return choice, body.strip()[:_LONGEST_REASON]


def _without_emphasis(text: str) -> str:
    return _EMPHASIS.sub("", text).strip()
