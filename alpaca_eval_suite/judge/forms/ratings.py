"""`RATINGS-<label>: A=7 B=5` in the last line, after the judge's reasons: the higher rating wins."""

import re

from alpaca_eval_suite.judge.contracts import Reply, Ruling
from alpaca_eval_suite.judge.reply import VerdictError, match_last_line, shortened
from alpaca_eval_suite.judge.schema import JudgeSpec

_RATINGS = r"A *= *\d+(?:\.\d+)?[ ,;]+B *= *\d+(?:\.\d+)?"


def read(spec: JudgeSpec, reply: Reply, label: str) -> Ruling:
    """Raises VerdictError when the last line holds no two ratings within the scale."""
    found, reason = match_last_line(reply.text, f"{spec.mark}-{label}", _RATINGS)
    a, b = (float(number) for number in re.findall(r"\d+(?:\.\d+)?", found))
    low, high = spec.scale
    for rating in (a, b):
        if not low <= rating <= high:
            raise VerdictError(f"the rating {rating:g} lies outside {low:g} to {high:g}")
    return Ruling(0.5 if a == b else float(a > b), shortened(f"A={a:g} B={b:g}. {reason}"))
