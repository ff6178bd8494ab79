"""`VERDICT-<label>: A>>B`, A>B, A=B, B>A or B>>A in the last line, after the judge's reasons."""

from alpaca_eval_suite.judge.contracts import Reply, Ruling
from alpaca_eval_suite.judge.reply import read_last_line
from alpaca_eval_suite.judge.schema import JudgeSpec

CHOICES = ("A>>B", "A>B", "A=B", "B>A", "B>>A")


def read(spec: JudgeSpec, reply: Reply, label: str) -> Ruling:
    """Raises VerdictError when the last line holds no verdict."""
    choice, reason = read_last_line(reply.text, f"{spec.mark}-{label}", CHOICES)
    return Ruling(spec.points[CHOICES.index(choice)], reason)
