"""One pair, one question to a judge: the blinding, the label, and what becomes of answers that are too long."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from alpaca_eval_suite.judge.contracts import Question
from alpaca_eval_suite.judge.conversation import request_shown, request_texts
from alpaca_eval_suite.judge.forms import letter_logprobs, reasoning_json
from alpaca_eval_suite.judge.reply import VerdictError, label_of, sendable
from alpaca_eval_suite.judge.schema import JudgeSpec
from alpaca_eval_suite.judge.template import fill_template
from alpaca_eval_suite.models.request import GenerationRequest, Message, TooLongError
from alpaca_eval_suite.types import Comparison, Instruction, Order

CUT = "\n[cut]"
_CUT_TO = [0.75**step for step in range(1, 13)]
"""Shares of a question that is too long, one after the other: nobody says how much would fit."""


def ask(spec: JudgeSpec, comparison: Comparison, order: Order, seed: int = 0, limit: int | None = None) -> Question:
    """The question of `spec` about one pair, the model's output as A but in `baseline_first`.

    The judge sees A and B, never a name. The same pair, order and seed give the same bytes, so that a paid-for reply
    is found in a cache. Half of a surrogate pair, which no request can carry, becomes "?".

    `limit`: the most characters that the question may have, where somebody knows. With `too_long: cut` both answers
    are cut to one common length that fits, which `Question.kept` then says; with `fail` it is asked whole.
    Raises TooLongError when nothing of the answers would be left, and VerdictError when an answer is itself such a
    letter as a judge by log-probabilities replies with.
    """
    shown = [sendable(comparison.output), sendable(comparison.baseline_output)]
    if order == "baseline_first":
        shown.reverse()
    item = comparison.instruction
    kept = None
    if spec.too_long == "cut" and limit is not None:
        shown, kept = _cut(spec, item, shown, seed, limit)
    if spec.form == "letter_logprobs" and any(map(letter_logprobs.is_verdict, shown)):
        raise VerdictError(
            "an answer is nothing but A, B or TIE, which this form could not tell from a verdict: ask with a form that "
            "carries a label, such as letter"
        )
    text, label = _text(spec, item, shown, seed)
    system = (Message("system", spec.system),) if spec.system else ()
    decoding = spec.decoding
    request = GenerationRequest(
        prompt=(*system, Message("user", text)),
        max_tokens=decoding.max_tokens,
        temperature=decoding.temperature,
        seed=seed if decoding.temperature else None,
        thinking_tokens=decoding.thinking_tokens,
        top_logprobs=letter_logprobs.TOP_LOGPROBS if spec.form == "letter_logprobs" and spec.continuous else 0,
        json_schema=reasoning_json.schema(spec, label) if spec.form == "reasoning_json" else None,
    )
    return Question(request, label, kept)


def shorter(question: Question, ask_within: Callable[[int], Question]) -> Iterator[Question]:
    """The question that did not fit, cut shorter and shorter; `ask_within` makes it of so many characters at most.

    Raises TooLongError when the shortest was tried too, or nothing of the answers would be left.
    """
    prompt = question.request.prompt
    length = len(prompt) if isinstance(prompt, str) else sum(len(message.content) for message in prompt)
    for share in _CUT_TO:
        yield ask_within(int(length * share))
    raise TooLongError(f"it does not fit into the judge's context, cut to {_CUT_TO[-1]:.0%} either")


def _text(spec: JudgeSpec, item: Instruction, shown: Sequence[str], seed: int) -> tuple[str, str]:
    """The filled template and its label."""
    label = label_of(seed, *request_texts(item), *shown)
    values = {
        "label": label,
        "request": request_shown(item, label),
        "instruction": sendable(item.instruction),
        "input": sendable(item.input),
        "answer_a": shown[0],
        "answer_b": shown[1],
        "reference": sendable(item.reference or ""),
        "rubric": sendable(_rubric(item)),
    }
    return fill_template(spec.template, values), label


def _rubric(item: Instruction) -> str:
    """The scenario's own words on what makes a good answer: a text, or points that become lines."""
    rubric = item.key.get("rubric") or ""
    return "\n".join(f"- {point}" for point in rubric) if isinstance(rubric, list | tuple) else str(rubric)


def _cut(spec: JudgeSpec, item: Instruction, answers: list[str], seed: int, limit: int) -> tuple[list[str], int | None]:
    """The answers as they fit into a question of `limit` characters, and how many of each were kept (None: all)."""

    def too_long(kept: int) -> bool:
        text, _ = _text(spec, item, [_shorten(answer, kept) for answer in answers], seed)
        return len(text) + len(spec.system or "") > limit

    longest = max(map(len, answers))
    if not too_long(longest):
        return answers, None
    kept = bisect_left(range(1, longest), True, key=too_long)
    if kept == 0:
        raise TooLongError(
            f"the request alone leaves no room for the answers in {limit} characters",
            where=f"the question of {spec.name}",
            next_step="Name a judge with a longer context.",
        )
    return [_shorten(answer, kept) for answer in answers], kept


def _shorten(answer: str, kept: int) -> str:
    return answer if len(answer) <= kept else answer[:kept] + CUT
