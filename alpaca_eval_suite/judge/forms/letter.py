"""`VERDICT-<label>: A`, B or TIE in the last line, after the judge's reasons."""

from typing import Literal, cast, get_args

from alpaca_eval_suite.judge.contracts import Reply, Ruling
from alpaca_eval_suite.judge.reply import read_last_line
from alpaca_eval_suite.judge.schema import JudgeSpec

Choice = Literal["A", "B", "TIE"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
FIRST: dict[Choice, float] = {"A": 1.0, "B": 0.0, "TIE": 0.5}
"""What each choice is worth to the answer shown first."""


def read(spec: JudgeSpec, reply: Reply, label: str) -> Ruling:
    """Raises VerdictError when the last line holds no verdict."""
    choice, reason = read_last_line(reply.text, f"{spec.mark}-{label}", CHOICES)
    return Ruling(FIRST[cast(Choice, choice)], reason)
