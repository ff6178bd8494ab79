"""What every question to a judge has in common: a label that no answer can know, and a verdict at the very end only.

The label is made from the texts to be judged, so that an answer which holds a verdict of the right form cannot
know it and cannot plant one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.models.thinking import CLOSE, split_thought

_LABEL_DIGITS = 12
_LONGEST_REASON = 600
# Marks of emphasis; an underscore within a word ("over_refused") is none.
# ASCII, because without it IGNORECASE takes the Turkish i's for an I.
_FLAGS = re.IGNORECASE | re.ASCII
_EMPHASIS = re.compile(r"[*`]|(?<![A-Za-z0-9])_+|_+(?![A-Za-z0-9])")


class VerdictError(ValueError):
    """There is no verdict that can be read; the message says why."""


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


def after_thoughts(reply: str, verdict_at: int | None = None) -> str:
    """What the judge says when it has thought, stripped.

    A judge may quote an answer that holds </think>, in its thought too. A verdict stands at the end of all, so the
    last closing mark counts here, where a model's answer begins after the first. `verdict_at`: where a verdict begins
    that may hold quotations itself; marks from there on are none.
    Raises VerdictError when nothing is left, or the thoughts do not end.
    """
    before, rest = reply[:verdict_at], "" if verdict_at is None else reply[verdict_at:]
    parts = split_thought(before)
    if parts.unfinished:
        raise VerdictError("the judge's thoughts were cut off before a verdict")
    answer = (parts.answer.rpartition(CLOSE)[2] + rest).strip()
    if not answer:
        raise VerdictError("the judge said nothing")
    return answer


def without_emphasis(text: str) -> str:
    """`text` without Markdown's marks of emphasis, stripped."""
    return _EMPHASIS.sub("", text).strip()


def shortened(reason: str) -> str:
    """The judge's words, at a length that fits into a line of a file."""
    return reason.strip()[:_LONGEST_REASON]


def read_last_line(reply: str, mark: str, choices: Sequence[str]) -> tuple[str, str]:
    """The choice in the last line that is not blank, of the form "MARK: CHOICE", and the judge's words before it.

    Raises VerdictError like `match_last_line`.
    """
    found, reason = match_last_line(reply, mark, "|".join(map(re.escape, choices)))
    return next(choice for choice in choices if choice.casefold() == found.casefold()), reason


def match_last_line(reply: str, mark: str, verdict: str) -> tuple[str, str]:
    """The verdict in the last line that is not blank, of the form "MARK: VERDICT", and the judge's words before it.

    `verdict` is a regular expression. Nothing else in the reply is ever read as a verdict. Thoughts are left out;
    marks of emphasis and any case are allowed. Raises VerdictError when there is no verdict, a wrong mark, an unknown
    verdict, two that differ, or thoughts that do not end.
    """
    body, _, last = after_thoughts(reply).rpartition("\n")
    line, before = without_emphasis(last), without_emphasis(body)
    begins = line[: len(mark)].lower() == mark.lower() and line[: len(mark)].isascii()
    match = _after_mark(verdict).fullmatch(line, len(mark)) if begins else None
    if match is None:
        raise VerdictError(f"the last line is no verdict of the form asked for: {last.strip()[:80]!r}")
    # The mark is another one each time, and seldom stands twice: only then is a pattern made of it.
    if mark.lower() in before.lower() and any(
        _bare(other[1]) != _bare(match[1])
        for place in re.finditer(re.escape(mark), before, _FLAGS)
        if (other := _after_mark(verdict).match(before, place.end()))
    ):
        raise differing()
    return match[1], shortened(body)


@lru_cache
def _after_mark(verdict: str) -> re.Pattern[str]:
    return re.compile(rf": *((?:{verdict})\b)", _FLAGS)


def differing() -> VerdictError:
    """The error for a judge that takes back what it said."""
    return VerdictError("the judge gave two verdicts that differ")


def _bare(verdict: str) -> str:
    return "".join(verdict.split()).casefold()
