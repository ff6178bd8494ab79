"""Thoughts of reasoning models, between HELM and the suite: their budget going in, their place coming out."""

from dataclasses import replace

from helm.common.request import GeneratedOutput, Request, Thinking

from alpaca_eval_suite.models.thinking import Parts, ThinkingMode, split_thought

CUT_OFF = "thinking"
"""The finish reason of an answer that never came, because the tokens ran out within the thought."""

_BUDGET = "thinking_tokens="
_ENDED = ("endoftext", "stop")


def budget_mark(tokens: int) -> str | None:
    """What carries a budget of thinking tokens to the client: HELM's `random`, the one field of a request that is
    free and belongs to every cache key. None without a budget. `max_tokens` of such a request is the sum of both."""
    return f"{_BUDGET}{tokens}" if tokens else None


def budget_of(request: Request) -> int:
    """The budget that `budget_mark` put into the request, else 0."""
    mark = request.random or ""
    return int(mark.removeprefix(_BUDGET)) if mark.startswith(_BUDGET) else 0


def output_text(text: str, mode: ThinkingMode) -> str:
    """What is judged of a model's or baseline's text: its answer, or all of it where thoughts are kept."""
    return split_thought(text).answer if mode == "strip" else text


def settled(completion: GeneratedOutput, mode: ThinkingMode) -> GeneratedOutput:
    """The completion with its thought in HELM's `thinking` (its pages show it there), or left in the text to be kept.

    The finish reason says where the tokens ran out within the thought. A completion without a thought stays as it is.
    """
    parts = split_thought(completion.text)
    if parts == Parts("", completion.text) and not completion.thinking:
        return completion
    reason = dict(completion.finish_reason or {})
    if _cut_off(completion, parts):
        reason["reason"] = CUT_OFF
    if mode == "keep":
        return replace(completion, finish_reason=reason)
    # Some servers send the thought by itself already.
    apart = completion.thinking.text if completion.thinking else None
    thought = "\n\n".join(text for text in (apart, parts.thought) if text)
    return replace(
        completion, text=parts.answer, thinking=Thinking(text=thought) if thought else None, finish_reason=reason
    )


def _cut_off(completion: GeneratedOutput, parts: Parts) -> bool:
    reason = (completion.finish_reason or {}).get("reason")
    sent_apart = bool(completion.thinking) and not completion.text.strip() and reason == "length"
    return sent_apart or (parts.unfinished and reason not in _ENDED)


def cut_off_thinking(completion: GeneratedOutput, mode: ThinkingMode) -> bool | None:
    """Of a settled completion: whether its thought was cut off, None where it holds no thought."""
    if (completion.finish_reason or {}).get("reason") == CUT_OFF:
        return True
    has_thought = bool(completion.thinking) or (mode == "keep" and bool(split_thought(completion.text).thought))
    return False if has_thought else None
