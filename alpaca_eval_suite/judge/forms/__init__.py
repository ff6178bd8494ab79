"""The forms in which a judge gives its verdict, each read from the very end of a reply and from nowhere else."""

from collections.abc import Callable

from alpaca_eval_suite.judge.contracts import Reply, Ruling
from alpaca_eval_suite.judge.forms import five_point, letter, letter_logprobs, ratings, reasoning_json
from alpaca_eval_suite.judge.reply import VerdictError
from alpaca_eval_suite.judge.schema import Form, JudgeSpec

_READERS: dict[Form, Callable[[JudgeSpec, Reply, str], Ruling]] = {
    "letter": letter.read,
    "letter_logprobs": letter_logprobs.read,
    "ratings": ratings.read,
    "reasoning_json": reasoning_json.read,
    "five_point": five_point.read,
}
_CUT_OFF = ("length", "thinking")


def read_reply(spec: JudgeSpec, reply: Reply, label: str) -> Ruling:
    """What the judge `spec` says in `reply` to the question that carried `label`.

    Raises VerdictError, saying why, when that holds no verdict: none at its end, another label, something out of the
    form, two that differ, a tie where none is allowed, or a reply that was cut off.
    """
    if reply.finish_reason in _CUT_OFF:
        raise VerdictError(f"the judge's reply was cut off at {spec.decoding.max_tokens} tokens")
    ruling = _READERS[spec.form](spec, reply, label)
    if ruling.first == 0.5 and not spec.ties and spec.form != "letter_logprobs":
        raise VerdictError("the judge says tie, which it was not to say")
    return ruling
